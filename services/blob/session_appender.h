#ifndef ENTREPOT_SERVICES_BLOB_SESSION_APPENDER_H_
#define ENTREPOT_SERVICES_BLOB_SESSION_APPENDER_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/object_store.h"
#include "services/blob/session_endings.h"
#include "services/blob/session_records.h"
#include "services/blob/session_table.h"
#include "services/blob/staged_uploads.h"
#include "services/blob/upload_sessions.h"
#include "services/core/digester.h"

namespace entrepot::blob {

// Adds to a claimed session: to its record as long as all of it fits the KV tier, else to its staged object. The record
// is saved now and then, always with offset and hash state of the same moment, so that a killed process loses little.
class SessionAppender : public UploadAppender {
 public:
  // How many bytes a killed process may lose.
  static constexpr uint64_t kCheckpointBytes = 16 << 20;

  // `staged` is null as long as the record holds the bytes. What is pointed to
  // outlives this.
  SessionAppender(SessionTable::Claim claim, storage::v1::UploadRecord record, Digester digester,
                  std::unique_ptr<StagedObject> staged, SessionRecords* records, StagedUploads* uploads,
                  SessionEndings* endings)
      : claim_(std::move(claim)),
        record_(std::move(record)),
        digester_(std::move(digester)),
        staged_(std::move(staged)),
        saved_as_staged_(record_.staged_in_file()),
        records_(*records),
        uploads_(*uploads),
        endings_(*endings) {}
  ~SessionAppender() override;

  absl::Status Append(absl::string_view bytes) override;
  absl::StatusOr<Upload> Finish() override;
  absl::StatusOr<SealedUpload> FinishAndSeal(const Digest& digest) override;

 private:
  absl::Status Store(absl::string_view bytes);
  absl::Status MoveToStaged();
  bool Changed() const;
  // The record as it should be saved now.
  storage::v1::UploadRecord CurrentRecord() const;
  absl::Status Save();

  SessionTable::Claim claim_;
  // As it is saved, but for where the bytes are, and those in it, which are up to date.
  storage::v1::UploadRecord record_;
  Digester digester_;
  std::unique_ptr<StagedObject> staged_;
  // Whether the saved record says that the bytes are staged.
  bool saved_as_staged_;
  SessionRecords& records_;
  StagedUploads& uploads_;
  SessionEndings& endings_;
  absl::Status failure_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSION_APPENDER_H_
