#include "services/blob/object_read_reactor.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/blob/file_io.h"
#include "services/blob/system_calls.h"
#include "services/core/storage_key.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

ObjectReadReactor::ObjectReadReactor(ObjectReader* reader, runtime::Executor* executor,
                                     const v1::ReadObjectRequest* request)
    : reader_(*reader),
      executor_(*executor),
      request_(*request),
      offset_bytes_(request->offset_bytes()),
      remaining_bytes_(request->length_bytes()) {
  executor_.Post([this] {
    if (absl::Status status = Open(); !status.ok()) return Finish(ToGrpcStatus(status));
    WriteNext();
  });
}

absl::Status ObjectReadReactor::Open() {
  ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(request_.storage_key()));
  ASSIGN_OR_RETURN(object_, reader_.Open(key));
  const uint64_t size = object_->size_bytes;
  if (offset_bytes_ > size || remaining_bytes_ > size - offset_bytes_) {
    return absl::DataLossError(absl::StrCat("the object has ", size, " bytes, fewer than the range says"));
  }
  return absl::OkStatus();
}

void ObjectReadReactor::WriteNext() {
  if (remaining_bytes_ == 0) return Finish(grpc::Status::OK);
  if (absl::Status status = Fill(); !status.ok()) return Finish(ToGrpcStatus(status));
  if (remaining_bytes_ == 0) return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  StartWrite(&response_);
}

absl::Status ObjectReadReactor::Fill() {
  const size_t wanted = std::min<uint64_t>(kMessageBytes, remaining_bytes_);
  std::string& data = *response_.mutable_data();
  if (const auto* bytes = std::get_if<std::string>(&object_->content)) {
    data.assign(*bytes, offset_bytes_, wanted);
  } else {
    data.resize(wanted);
    const int fd = std::get<OwnedFd>(object_->content).get();
    ASSIGN_OR_RETURN(const size_t count, PReadFully(*SystemCalls::Default(), fd, data.data(), wanted, offset_bytes_));
    if (count < wanted) return absl::DataLossError("the object's file is shorter than it was");
  }
  offset_bytes_ += wanted;
  remaining_bytes_ -= wanted;
  return absl::OkStatus();
}

void ObjectReadReactor::OnWriteDone(bool ok) {
  // The client is gone.
  if (!ok) return Finish(grpc::Status::CANCELLED);
  executor_.Post([this] { WriteNext(); });
}

}  // namespace entrepot::blob
