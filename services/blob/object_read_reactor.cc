#include "services/blob/object_read_reactor.h"

#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "grpcpp/server_context.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/core/digest.h"
#include "services/core/storage_key.h"
#include "services/runtime/grpc/message_bytes.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

ObjectReadReactor::ObjectReadReactor(VerifiedReader* reader, const BlobThreads& threads,
                                     grpc::CallbackServerContext* context, const v1::ReadObjectRequest* request)
    : reader_(*reader),
      threads_(threads),
      context_(*context),
      request_(*request),
      message_bytes_(runtime::MessageBytes(request->message_bytes_max(), kMessageBytes)),
      offset_bytes_(request->offset_bytes()),
      remaining_bytes_(request->length_bytes()) {
  const absl::StatusOr<StorageKey> key = StorageKey::Parse(request_.storage_key());
  if (key.ok()) {
    executor_ = threads_.For(*key);
    Post(executor_, &ObjectReadReactor::Begin);
  } else {
    Finish(ToGrpcStatus(key.status()));
  }
}

void ObjectReadReactor::Post(runtime::Executor* executor, void (ObjectReadReactor::*job)()) {
  executor->Post([this, job] {
    // A read at a server may take seconds.
    if (context_.IsCancelled()) return Finish(grpc::Status::CANCELLED);
    (this->*job)();
  });
}

void ObjectReadReactor::Begin() {
  if (absl::Status status = Open(); !status.ok()) return Finish(ToGrpcStatus(status));
  if (auto* url = std::get_if<ObjectUrl>(&*content_)) {
    response_.set_url(std::move(url->url));
    return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }
  if (request_.files_shared()) {
    const absl::StatusOr<bool> is_file = DescribeFile();
    if (!is_file.ok()) return Finish(ToGrpcStatus(is_file.status()));
    if (*is_file) return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }
  if (is_hashed()) return Post(threads_.long_calls, &ObjectReadReactor::WriteNext);
  WriteNext();
}

absl::Status ObjectReadReactor::Open() {
  ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(request_.storage_key()));
  std::optional<Digest> whole;
  if (!request_.digest().empty()) {
    ASSIGN_OR_RETURN(whole, Digest::Parse(request_.digest()));
  }
  ASSIGN_OR_RETURN(content_, reader_.Open(key, {offset_bytes_, remaining_bytes_}, whole, kv::ReadTier::kDisk,
                                          request_.redirected_client(), request_.requester()));
  return absl::OkStatus();
}

absl::StatusOr<bool> ObjectReadReactor::DescribeFile() {
  const auto* const fd = std::get_if<OwnedFd>(&*content_);
  if (fd == nullptr) return false;
  struct stat found {};
  if (SystemCalls::Default()->FStat(fd->get(), &found) != 0) return absl::DataLossError("the object's file is broken");
  ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(request_.storage_key()));
  v1::ObjectFile& file = *response_.mutable_file();
  file.set_path(absl::StrCat("objects/", BlobDirectory::PathOf(key)));
  file.set_inode(found.st_ino);
  file.set_size_bytes(static_cast<uint64_t>(found.st_size));
  file.set_modified_nanoseconds(static_cast<int64_t>(found.st_mtim.tv_sec) * 1'000'000'000 + found.st_mtim.tv_nsec);
  return true;
}

void ObjectReadReactor::WriteNext() {
  if (remaining_bytes_ == 0) return Finish(grpc::Status::OK);
  if (absl::Status status = Fill(); !status.ok()) return Finish(ToGrpcStatus(status));
  if (remaining_bytes_ == 0) return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  StartWrite(&response_);
}

absl::Status ObjectReadReactor::Fill() {
  const size_t wanted = std::min<uint64_t>(message_bytes_, remaining_bytes_);
  std::string& data = *response_.mutable_data();
  if (auto* bytes = std::get_if<std::string>(&*content_)) {
    data.assign(*bytes, offset_bytes_ - request_.offset_bytes(), wanted);
  } else {
    data.resize(wanted);
    ASSIGN_OR_RETURN(const size_t count, ReadInto(data));
    if (count < wanted) return absl::DataLossError("the object's file is shorter than it was");
  }
  offset_bytes_ += wanted;
  remaining_bytes_ -= wanted;
  return absl::OkStatus();
}

absl::StatusOr<size_t> ObjectReadReactor::ReadInto(std::string& data) {
  if (auto* stream = std::get_if<std::unique_ptr<VerifyingStream>>(&*content_)) {
    return (*stream)->Read(data.data(), data.size());
  }
  const int fd = std::get<OwnedFd>(*content_).get();
  return PReadFully(*SystemCalls::Default(), fd, data.data(), data.size(), offset_bytes_);
}

void ObjectReadReactor::OnWriteDone(bool ok) {
  // The client has left.
  if (!ok) return Finish(grpc::Status::CANCELLED);
  Post(is_hashed() ? threads_.long_calls : executor_, &ObjectReadReactor::WriteNext);
}

bool ObjectReadReactor::is_hashed() const {
  const auto* stream = std::get_if<std::unique_ptr<VerifyingStream>>(&*content_);
  return stream != nullptr && (*stream)->is_hashed();
}

}  // namespace entrepot::blob
