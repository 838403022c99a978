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

// Whose an upload session is. To anybody else it does not exist.
struct UploadOwner {
  RepositoryName repository;
  // Empty where nobody has shown a credential.
  std::string account;
};

// An upload session (OCI distribution specification, "Pushing blobs").
struct Upload {
  UploadId id;
  // How many bytes the session holds.
  uint64_t offset_bytes = 0;
};

struct AppendOptions {
  // Where the bytes belong; absent: at the end.
  std::optional<uint64_t> offset_bytes;
  // What the digest will be made with, where that is known; used while the session is empty.
  std::optional<DigestAlgorithm> algorithm;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_UPLOAD_H_
