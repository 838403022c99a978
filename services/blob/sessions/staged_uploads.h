#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_STAGED_UPLOADS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_STAGED_UPLOADS_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"
#include "services/blob/sessions/staged_object_pool.h"

namespace entrepot::blob {

// The staged bytes of sessions that have outgrown their records. Of those that an earlier run of the service left, it
// hands out only what hashes to the state that was recorded: a power cut may have lost any of them. Thread-safe.
class StagedUploads {
 public:
  // Whether what a Publish has already given its final name will do.
  enum class Accept { kStaged, kStagedOrPublished };

  // How many stay open between requests.
  static constexpr size_t kOpenMax = 256;

  // The arguments outlive this.
  StagedUploads(ObjectStore* store, SessionRecords* records)
      : store_(*store), records_(*records), pool_(kOpenMax, store) {}

  // Nothing staged yet.
  absl::StatusOr<std::unique_ptr<StagedObject>> Create(const UploadId& id);
  // Exactly what `record`, that of the claimed session, says is there. kNotFound (BLOB_UPLOAD_UNKNOWN): it is lost.
  absl::StatusOr<std::unique_ptr<StagedObject>> Open(Accept accept, SessionTable::Claim& claim,
                                                     storage::v1::UploadRecord& record);
  // Until the next Open().
  void Park(const UploadId& id, std::unique_ptr<StagedObject> staged) { pool_.Park(id, std::move(staged)); }
  absl::Status Discard(const UploadId& id);

 private:
  absl::StatusOr<std::unique_ptr<StagedObject>> OpenAnew(Accept accept, const UploadId& id, uint64_t size_bytes);
  absl::Status Verify(StagedObject& staged, const storage::v1::UploadRecord& record);

  ObjectStore& store_;
  SessionRecords& records_;
  StagedObjectPool pool_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_STAGED_UPLOADS_H_
