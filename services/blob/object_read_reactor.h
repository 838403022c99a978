#ifndef ENTREPOT_SERVICES_BLOB_OBJECT_READ_REACTOR_H_
#define ENTREPOT_SERVICES_BLOB_OBJECT_READ_REACTOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/blob/v1/blob_service.pb.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "services/blob/blob_threads.h"
#include "services/blob/objects/verified_reader.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::blob {

// One ReadObject call. At most one message is being sent, and the next one is read from the disk only after gRPC has
// taken it, so a slow client costs one message and gRPC's window. Deletes itself.
class ObjectReadReactor : public grpc::ServerWriteReactor<v1::ReadObjectResponse> {
 public:
  // Of a message, unless the request has a smaller message_bytes_max. Large enough that the cost per message does not
  // matter, small enough for many concurrent streams.
  static constexpr size_t kMessageBytes = 256 << 10;

  // `reader` and the threads outlive the call; `context` and `request` are the call's.
  ObjectReadReactor(VerifiedReader* reader, const BlobThreads& threads, grpc::CallbackServerContext* context,
                    const v1::ReadObjectRequest* request);

  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  // Runs `job` on a thread, or ends the call if its client has left by the time that one is free.
  void Post(runtime::Executor* executor, void (ObjectReadReactor::*job)());
  void Begin();
  absl::Status Open();
  // Reads the next bytes of the range into response_.
  absl::Status Fill();
  absl::StatusOr<size_t> ReadInto(std::string& data);
  // Describes the file of the content, if there is one, in response_. Returns false if there is none.
  absl::StatusOr<bool> DescribeFile();
  void WriteNext();
  // Whether the bytes are hashed while they are read. After Open().
  bool is_hashed() const;

  VerifiedReader& reader_;
  const BlobThreads threads_;
  grpc::CallbackServerContext& context_;
  const v1::ReadObjectRequest& request_;
  const size_t message_bytes_;
  // Of the object that is read.
  runtime::Executor* executor_ = nullptr;
  std::optional<ReadContent> content_;
  uint64_t offset_bytes_;
  uint64_t remaining_bytes_;
  v1::ReadObjectResponse response_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECT_READ_REACTOR_H_
