#include "services/blob/upload_append_reactor.h"

#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"
#include "services/wire/blob_messages.h"

namespace entrepot::blob {

UploadAppendReactor::UploadAppendReactor(UploadSessions* sessions, runtime::Executor* executor,
                                         runtime::Executor* long_calls, v1::Upload* response)
    : sessions_(*sessions), executor_(*executor), long_calls_(*long_calls), response_(response) {
  StartRead(&request_);
}

void UploadAppendReactor::OnReadDone(bool ok) {
  ExecutorFor(ok).Post([this, ok] {
    if (!ok) return FinishWith(End());
    if (absl::Status status = HandleMessage(); !status.ok()) return FinishWith(status);
    StartRead(&request_);
  });
}

runtime::Executor& UploadAppendReactor::ExecutorFor(bool ok) const {
  if (!ok || !request_.has_header()) return executor_;
  const absl::StatusOr<UploadId> id = UploadId::Parse(request_.header().upload_id());
  return id.ok() && sessions_.MustReadBack(*id) ? long_calls_ : executor_;
}

absl::Status UploadAppendReactor::HandleMessage() {
  switch (request_.part_case()) {
    case v1::AppendToUploadRequest::kHeader:
      if (appender_ != nullptr) return absl::InvalidArgumentError("header: only the first message carries it");
      return Open(request_.header());
    case v1::AppendToUploadRequest::kData:
      if (appender_ == nullptr) return absl::InvalidArgumentError("data: the first message carries the header");
      return appender_->Append(request_.data());
    default:
      return absl::InvalidArgumentError("part: none is set");
  }
}

absl::Status UploadAppendReactor::Open(const v1::AppendHeader& header) {
  ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(header));
  AppendOptions options;
  if (header.has_offset_bytes()) options.offset_bytes = header.offset_bytes();
  ASSIGN_OR_RETURN(options.algorithm, FromMessage(header.algorithm()));
  options.last = header.last();
  ASSIGN_OR_RETURN(appender_, sessions_.Append(name.owner, name.id, options));
  // The session accepts bytes, so the client may send them.
  StartSendInitialMetadata();
  return absl::OkStatus();
}

absl::Status UploadAppendReactor::End() {
  if (appender_ == nullptr) return absl::InvalidArgumentError("the stream ended before its header");
  ASSIGN_OR_RETURN(const Upload upload, appender_->Finish());
  *response_ = ToMessage(upload);
  return absl::OkStatus();
}

void UploadAppendReactor::FinishWith(const absl::Status& status) {
  appender_.reset();
  Finish(ToGrpcStatus(status));
}

}  // namespace entrepot::blob
