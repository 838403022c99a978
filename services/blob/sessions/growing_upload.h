#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_GROWING_UPLOAD_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_GROWING_UPLOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/sessions/staged_uploads.h"
#include "services/core/digester.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// The bytes of a claimed session while they are added to: in its record as long as all of them fit the KV tier, else in
// its staged object, and in its hash. Failpoint: blob.append.written. Not thread-safe.
class GrowingUpload {
 public:
  // `staged` is null as long as `record` holds the bytes; `digester` has taken them all in. `uploads` outlives this.
  GrowingUpload(UploadId id, storage::v1::UploadRecord record, Digester digester, std::unique_ptr<StagedObject> staged,
                StagedUploads* uploads)
      : id_(std::move(id)),
        record_(std::move(record)),
        digester_(std::move(digester)),
        staged_(std::move(staged)),
        began_(digester_.Save()),
        began_staged_(staged_ != nullptr),
        uploads_(*uploads) {}

  uint64_t size_bytes() const { return digester_.length_bytes(); }
  const Digester& digester() const { return digester_; }
  bool is_staged() const { return staged_ != nullptr; }

  // After a failure it holds what it began with, and what it took of the disk since is given back.
  absl::Status Append(absl::string_view bytes);
  // The session's record for what it holds now.
  storage::v1::UploadRecord Record() const;
  // null where the record holds the bytes. Nothing can be added then.
  std::unique_ptr<StagedObject> TakeStaged() { return std::move(staged_); }

 private:
  absl::Status Store(absl::string_view bytes);
  absl::Status MoveToStaged();
  void RollBack();

  const UploadId id_;
  // Its inline bytes, and whether they are staged, are up to date.
  storage::v1::UploadRecord record_;
  Digester digester_;
  std::unique_ptr<StagedObject> staged_;
  const DigesterState began_;
  const bool began_staged_;
  // Once it moved to a staged object: what the record held at the beginning.
  std::string began_inline_;
  StagedUploads& uploads_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_GROWING_UPLOAD_H_
