#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_CONTENT_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_CONTENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/sessions/staging_area.h"
#include "services/core/digester.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// The bytes of a claimed session while more are added: in the session's record as long as they fit the KV tier, else in
// a staged upload; and their hash. Failpoint: blob.append.written. Not thread-safe.
class SessionContent {
 public:
  // `staged` is null if `record` contains the bytes. `digester` has hashed all of them. `uploads` outlives this.
  SessionContent(UploadId id, storage::v1::UploadRecord record, Digester digester, std::unique_ptr<StagedUpload> staged,
                 StagingArea* uploads)
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

  // After a failure the content is what this object started with, and disk space that was used since is freed.
  absl::Status Append(absl::string_view bytes);
  // The session's record for the current content.
  storage::v1::UploadRecord Record() const;
  // Null if the record contains the bytes. Nothing can be added afterwards.
  std::unique_ptr<StagedUpload> TakeStaged() { return std::move(staged_); }

 private:
  absl::Status Store(absl::string_view bytes);
  absl::Status MoveToStaged();
  void RollBack();

  const UploadId id_;
  // Up to date are its inline bytes, and whether they are staged.
  storage::v1::UploadRecord record_;
  Digester digester_;
  std::unique_ptr<StagedUpload> staged_;
  const DigesterState began_;
  const bool began_staged_;
  // After the bytes moved to a staged upload: the inline bytes that the record started with.
  std::string began_inline_;
  StagingArea& uploads_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_CONTENT_H_
