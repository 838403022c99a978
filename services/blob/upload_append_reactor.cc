#include "services/blob/upload_append_reactor.h"

#include <utility>

#include "services/core/content.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"
#include "services/wire/blob_messages.h"
#include "services/wire/content_messages.h"

namespace entrepot::blob {

UploadAppendReactor::UploadAppendReactor(UploadSessions* sessions, runtime::Executor* executor,
                                         runtime::Executor* long_calls, v1::Upload* response)
    : sessions_(*sessions), executor_(*executor), long_calls_(*long_calls), response_(response) {
  StartRead(&arriving_);
}

void UploadAppendReactor::OnReadDone(bool ok) {
  {
    const absl::MutexLock lock(&mutex_);
    if (busy_) {
      read_ = ok;
      return;
    }
    busy_ = true;
  }
  ExecutorFor(ok).Post([this, ok] { HandleMessages(ok); });
}

void UploadAppendReactor::HandleMessages(bool ok) {
  for (std::optional<bool> read = ok; read.has_value(); read = NextRead()) {
    if (!*read) return FinishWith(End());
    arriving_.Swap(&message_);
    // What follows the header may need another executor.
    const bool is_header = message_.has_header();
    if (!is_header) StartRead(&arriving_);
    if (absl::Status status = HandleMessage(); !status.ok()) return FinishWith(status);
    if (is_header) {
      {
        const absl::MutexLock lock(&mutex_);
        busy_ = false;
      }
      return StartRead(&arriving_);
    }
  }
}

std::optional<bool> UploadAppendReactor::NextRead() {
  const absl::MutexLock lock(&mutex_);
  if (!read_.has_value()) busy_ = false;
  return std::exchange(read_, std::nullopt);
}

runtime::Executor& UploadAppendReactor::ExecutorFor(bool ok) const {
  if (!ok || !arriving_.has_header()) return executor_;
  const absl::StatusOr<UploadId> id = UploadId::Parse(arriving_.header().upload_id());
  return id.ok() && sessions_.MustReadBack(*id) ? long_calls_ : executor_;
}

absl::Status UploadAppendReactor::HandleMessage() {
  if (seal_.has_value()) return absl::InvalidArgumentError("seal: it must be the last message");
  switch (message_.part_case()) {
    case v1::AppendToUploadRequest::kHeader:
      if (appender_ != nullptr) return absl::InvalidArgumentError("header: only the first message carries it");
      return Open(message_.header());
    case v1::AppendToUploadRequest::kData:
      if (appender_ == nullptr) return absl::InvalidArgumentError("data: the first message carries the header");
      return appender_->Append(message_.data());
    case v1::AppendToUploadRequest::kSeal: {
      if (appender_ == nullptr) return absl::InvalidArgumentError("seal: the first message carries the header");
      ASSIGN_OR_RETURN(seal_, Digest::Parse(message_.seal().digest()));
      return absl::OkStatus();
    }
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
  if (seal_.has_value()) return Seal();
  ASSIGN_OR_RETURN(const Upload upload, appender_->Finish());
  *response_ = ToMessage(upload);
  return absl::OkStatus();
}

absl::Status UploadAppendReactor::Seal() {
  ASSIGN_OR_RETURN(const Blob sealed, appender_->FinishAndSeal(*seal_));
  response_->set_offset_bytes(sealed.size_bytes);
  *response_->mutable_blob() = ToMessage(sealed);
  return absl::OkStatus();
}

void UploadAppendReactor::FinishWith(const absl::Status& status) {
  appender_.reset();
  Finish(ToGrpcStatus(status));
}

}  // namespace entrepot::blob
