#ifndef ENTREPOT_SERVICES_CORE_OPEN_UPLOADS_H_
#define ENTREPOT_SERVICES_CORE_OPEN_UPLOADS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/waiting.h"

// What an administrator may ask about open upload sessions.
namespace entrepot {

// Selects open uploads; an empty field matches all.
struct UploadFilter {
  std::string id = {};
  std::string repository = {};
  std::string account = {};
  // The network of callers without an account (client_network.h).
  std::string client = {};
};

// An open upload session, for an administrator.
struct OpenUpload {
  std::string id = {};
  std::string repository = {};
  // Empty for an anonymous caller; then `client` is its network.
  std::string account = {};
  std::string client = {};
  // What is saved; during an append up to 16 MiB less than what has arrived.
  uint64_t received_bytes = 0;
  absl::Time started_at = {};
  // The end of the last request.
  absl::Time touched_at = {};
  // If no request uses it before.
  absl::Time expires_at = {};
  // A request uses it now.
  bool in_use = false;
};

struct OpenUploadPage {
  std::vector<OpenUpload> uploads = {};
  // The next `start_after` if more uploads follow, else empty.
  std::string next = {};
};

// All open upload sessions, and the bytes that they hold.
struct UploadTotals {
  uint64_t sessions = 0;
  uint64_t bytes = 0;
  // Those that no request uses, and when they expire if no request uses them before.
  Waiting idle = {};
  // Not among the others: sealed uploads whose commit was not reported, and when their sessions expire.
  Waiting sealed = {};
};

struct CancelledUploads {
  uint64_t cancelled = 0;
  // Uploads that a request uses; they end with that request.
  uint64_t in_use = 0;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_OPEN_UPLOADS_H_
