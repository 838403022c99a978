#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_APPENDER_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_APPENDER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/blob/sessions/shared_endings.h"
#include "services/blob/sessions/upload_claims.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/content.h"

namespace entrepot::blob {

// Adds bytes to a session that several replicas share. As long as the bytes fit the record, there is no claim: of two
// requests at once, the one that writes the record first wins, and the other gets kOutOfRange (RANGE_INVALID). A
// request claims the session before it stages bytes.
//
// After an error the session is as it was saved last: at the start of the request, or at the last checkpoint.
class SharedAppender : public UploadAppender {
 public:
  // The number of bytes that a killed process may lose, if the store can save them cheaply.
  static constexpr uint64_t kCheckpointBytes = 16 << 20;

  // `stored` is the session's record in the KV. `content` is what the bytes are added to: the same, or nothing if the
  // bytes begin anew. `seals`: the request brings the last bytes.
  SharedAppender(const SharedParts& parts, SharedEndings* endings, UploadId id, const SharedEndings::Record& stored,
                 SharedEndings::Content content, bool seals);
  ~SharedAppender() override;

  absl::Status Append(absl::string_view bytes) override;
  absl::StatusOr<Upload> Finish() override;
  absl::StatusOr<Blob> FinishAndSeal(const Digest& digest) override;

 private:
  using Record = SharedEndings::Record;

  uint64_t size_bytes() const { return content_.digester.length_bytes(); }
  absl::Status Store(absl::string_view bytes);
  absl::Status MoveToStaged();
  bool Changed() const;
  // The record of the current content, without a new staging state.
  Record CurrentRecord() const;
  // `last`: the request saves nothing more.
  absl::Status Save(bool last);

  const SharedParts parts_;
  SharedEndings& endings_;
  const UploadId id_;
  const bool seals_;
  // Up to date are its version, its inline bytes, and whether they are staged.
  SharedEndings::Content content_;
  uint64_t saved_bytes_;
  std::string saved_algorithm_;
  bool saved_whole_;
  bool done_ = false;
  absl::Status failure_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_APPENDER_H_
