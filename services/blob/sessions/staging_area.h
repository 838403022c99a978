#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_STAGING_AREA_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_STAGING_AREA_H_

#include <list>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"

namespace entrepot::blob {

// The staged bytes of sessions that have outgrown their records.
//
// Bytes that an earlier run of the service left are handed out only if they hash to the recorded state, because a power
// cut may have lost any of them.
//
// Uploads stay open between the requests of a client. The kernel writes bytes to the disk later, and reports a failure
// of that only to processes that have the file open. If the file were closed too early, the failure could go unnoticed,
// and an upload with lost bytes could be sealed. If too many uploads are open, the one that was parked first is synced
// and closed.
//
// Thread-safe.
class StagingArea {
 public:
  // kStagedOrPublished: if no bytes are staged, Open() returns the upload's object, if it exists. Use it to seal: an
  // earlier Publish() may have made the object, and then failed or been interrupted.
  enum class Accept { kStaged, kStagedOrPublished };

  // How many uploads stay open between requests.
  static constexpr size_t kOpenMax = 256;

  // The pointers outlive this.
  StagingArea(StagingObjectStore* store, SessionRecords* records, size_t open_max = kOpenMax)
      : store_(*store), records_(*records), open_max_(open_max) {}

  // An upload with nothing staged yet.
  absl::StatusOr<std::unique_ptr<StagedUpload>> Create(const UploadId& id);
  // Exactly the bytes that `record`, the record of the claimed session, describes. kNotFound (BLOB_UPLOAD_UNKNOWN) if
  // they are lost.
  absl::StatusOr<std::unique_ptr<StagedUpload>> Open(Accept accept, SessionTable::Claim& claim,
                                                     storage::v1::UploadRecord& record);
  // Keeps the upload open until the next Open(). May sync and close another one.
  void Park(const UploadId& id, std::unique_ptr<StagedUpload> staged);
  absl::Status Discard(const UploadId& id);

 private:
  using Parked = std::pair<UploadId, std::unique_ptr<StagedUpload>>;

  // nullptr if it is not parked.
  std::unique_ptr<StagedUpload> Unpark(const UploadId& id);
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenInStore(Accept accept, const UploadId& id, uint64_t size_bytes);
  absl::Status Verify(StagedUpload& staged, const storage::v1::UploadRecord& record);

  StagingObjectStore& store_;
  SessionRecords& records_;
  const size_t open_max_;
  absl::Mutex mutex_;
  // The latest last. Short enough for a linear search.
  std::list<Parked> parked_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_STAGING_AREA_H_
