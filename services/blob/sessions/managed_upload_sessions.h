#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_MANAGED_UPLOAD_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_MANAGED_UPLOAD_SESSIONS_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/content.h"
#include "services/core/open_uploads.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

// Upload sessions with what their service and an administrator need. Two ways of keeping them:
//
//   KvUploadSessions      one process has all sessions, and a table of them in memory
//   SharedUploadSessions  several replicas work on the same sessions; only the KV knows them all
class ManagedUploadSessions : public UploadSessions {
 public:
  // Takes over the sessions that exist, and deletes staged bytes without a session. Must be called first.
  virtual absl::Status Recover() = 0;
  // To be called every few seconds: deletes expired open sessions and all whose deletion failed before, and returns how
  // many it deleted. One that cannot be deleted does not keep the others; a later call tries it again. For a sealed
  // session only the right to seal it again expires: its object may be committed, so object and record stay, and the
  // session becomes abandoned.
  virtual size_t EndExpired() = 0;
  // To be called every few seconds: deletes the remaining records of forgotten sessions.
  virtual absl::Status FlushForgotten() = 0;
  // To be called every `kRenewalInterval`: keeps the sessions that requests of this process use.
  static constexpr absl::Duration kRenewalInterval = absl::Seconds(3);
  virtual void RenewClaims() = 0;

  // See BlobStorage::ListAbandoned and ForgetAbandoned.
  virtual absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) = 0;
  virtual absl::Status ForgetAbandoned(const StorageKey& key) = 0;
  // For each object, in their order, whether there is a session that has become or may become that object.
  virtual absl::StatusOr<std::vector<bool>> Claim(const std::vector<StorageKey>& keys) = 0;
  // See BlobStorage.
  virtual OpenUploadPage ListOpen(const UploadFilter& filter, absl::string_view start_after, size_t limit) = 0;
  virtual CancelledUploads CancelOpen(const UploadFilter& filter) = 0;
  virtual UploadTotals Totals() = 0;
  // How long the open session that has been idle longest has been idle; zero if none is.
  virtual absl::Duration OldestAge() = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_MANAGED_UPLOAD_SESSIONS_H_
