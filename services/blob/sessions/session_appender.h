#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_APPENDER_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_APPENDER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/sessions/session_content.h"
#include "services/blob/sessions/session_endings.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"
#include "services/blob/sessions/staging_area.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/content.h"

namespace entrepot::blob {

// Adds bytes to a claimed session. Its record is saved from time to time, with the offset and the hash state of the
// same moment, so that a killed process loses little.
class SessionAppender : public UploadAppender {
 public:
  // The number of bytes that a killed process may lose.
  static constexpr uint64_t kCheckpointBytes = 16 << 20;

  // `saved` is the session's record in the KV, `upload` the session's bytes. The pointers outlive this.
  SessionAppender(SessionTable::Claim claim, const storage::v1::UploadRecord& saved, SessionContent upload,
                  SessionRecords* records, StagingArea* uploads, SessionEndings* endings)
      : claim_(std::move(claim)),
        upload_(std::move(upload)),
        saved_(Saved::Of(saved)),
        records_(*records),
        uploads_(*uploads),
        endings_(*endings) {}
  ~SessionAppender() override;

  absl::Status Append(absl::string_view bytes) override;
  absl::StatusOr<Upload> Finish() override;
  absl::StatusOr<Blob> FinishAndSeal(const Digest& digest) override;

 private:
  // The fields in which the record in the KV may differ from the one to be saved.
  struct Saved {
    static Saved Of(const storage::v1::UploadRecord& record);

    uint64_t offset_bytes = 0;
    bool staged = false;
    std::string algorithm;
  };

  bool Changed() const;
  absl::Status Save();

  SessionTable::Claim claim_;
  SessionContent upload_;
  Saved saved_;
  SessionRecords& records_;
  StagingArea& uploads_;
  SessionEndings& endings_;
  absl::Status failure_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_APPENDER_H_
