#ifndef ENTREPOT_SERVICES_BLOB_UPLOAD_APPEND_REACTOR_H_
#define ENTREPOT_SERVICES_BLOB_UPLOAD_APPEND_REACTOR_H_

#include <memory>

#include "absl/status/status.h"
#include "entrepot/blob/v1/blob_service.pb.h"
#include "grpcpp/support/server_callback.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::blob {

// One AppendToUpload call. At most one read is outstanding, and none while bytes are being stored: what the client
// sends meanwhile fills gRPC's window and then waits with it. A stream that breaks off ends like one that is
// half-closed: what arrived is saved. Deletes itself.
class UploadAppendReactor : public grpc::ServerReadReactor<v1::AppendToUploadRequest> {
 public:
  // `sessions` and `executor` outlive the call; `response` is the call's.
  UploadAppendReactor(UploadSessions* sessions, runtime::Executor* executor, v1::Upload* response);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  absl::Status Take();
  absl::Status Open(const v1::AppendHeader& header);
  absl::Status Seal();
  absl::Status End();
  // The session is free before the client hears of the end.
  void FinishWith(const absl::Status& status);

  UploadSessions& sessions_;
  runtime::Executor& executor_;
  v1::Upload* const response_;
  v1::AppendToUploadRequest request_;
  std::unique_ptr<UploadAppender> appender_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_UPLOAD_APPEND_REACTOR_H_
