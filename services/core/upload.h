#ifndef ENTREPOT_SERVICES_CORE_UPLOAD_H_
#define ENTREPOT_SERVICES_CORE_UPLOAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/storage_key.h"
#include "services/core/upload_id.h"

namespace entrepot {

// The owner of an upload session. To other callers the session does not exist.
struct UploadOwner {
  RepositoryName repository;
  // Empty for an anonymous caller.
  std::string account;
  // The address of the client, "192.0.2.1". Only needed to start a session without an account.
  std::string client_address = {};
};

// The account of the sessions in which content of upstreams is stored. No client can have it: the names of accounts
// have no blanks. These sessions are bounded by the number of fetches, and do not count against the share of an
// account.
inline constexpr char kUpstreamAccount[] = "upstream service";

// An upload session (OCI distribution specification, "Pushing blobs").
struct Upload {
  UploadId id;
  // The number of bytes in the session.
  uint64_t offset_bytes = 0;
  // All bytes come from an append with AppendOptions::last that began on the empty session. A repeated one replaces
  // them.
  bool whole = false;
};

struct AppendOptions {
  // The offset of the bytes; if absent, the end of the session.
  std::optional<uint64_t> offset_bytes = {};
  // The algorithm of the expected digest, if it is known. Used while the session is empty.
  std::optional<DigestAlgorithm> algorithm = {};
  // The upload is sealed after these bytes. A client that gets no answer sends the same request again. If the session
  // was empty before it, these bytes are the whole blob, so a second append of this kind at offset 0, or without an
  // offset, replaces the bytes of the first.
  bool last = false;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_UPLOAD_H_
