#ifndef ENTREPOT_SERVICES_BLOB_UPLOAD_APPEND_REACTOR_H_
#define ENTREPOT_SERVICES_BLOB_UPLOAD_APPEND_REACTOR_H_

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/blob/v1/blob_service.pb.h"
#include "grpcpp/support/server_callback.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::blob {

// One AppendToUpload call. While the bytes of one message are stored, the next message arrives, and no other: then the
// client's messages fill gRPC's window, and the client waits. A stream that breaks ends like one that is half-closed:
// the bytes that arrived are saved. Deletes itself.
class UploadAppendReactor : public grpc::ServerReadReactor<v1::AppendToUploadRequest> {
 public:
  // `sessions` and `executor` outlive the call; `response` is the call's.
  UploadAppendReactor(UploadSessions* sessions, runtime::Executor* executor, runtime::Executor* long_calls,
                      v1::Upload* response);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  // For the message that was read.
  runtime::Executor& ExecutorFor(bool ok) const;
  // Handles the message that was read, and those that arrive meanwhile. `ok`: there is a message.
  void HandleMessages(bool ok);
  // Whether another message, or the end, arrived meanwhile. If not, the next OnReadDone() starts another job.
  std::optional<bool> NextRead();
  absl::Status HandleMessage();
  absl::Status Open(const v1::AppendHeader& header);
  absl::Status End();
  absl::Status Seal();
  // Releases the session before the client receives the result.
  void FinishWith(const absl::Status& status);

  UploadSessions& sessions_;
  runtime::Executor& executor_;
  runtime::Executor& long_calls_;
  v1::Upload* const response_;
  v1::AppendToUploadRequest arriving_;
  v1::AppendToUploadRequest message_;
  std::unique_ptr<UploadAppender> appender_;
  // The upload is sealed at the end.
  std::optional<Digest> seal_;

  absl::Mutex mutex_;
  // A job handles messages, or the call is finished.
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  // The result of a read that ended while a job was busy.
  std::optional<bool> read_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_UPLOAD_APPEND_REACTOR_H_
