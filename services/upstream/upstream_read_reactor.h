#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_READ_REACTOR_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_READ_REACTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/upstream/v1/upstream_service.grpc.pb.h"
#include "grpcpp/alarm.h"
#include "grpcpp/grpcpp.h"
#include "services/runtime/threads/executor.h"
#include "services/upstream/fetch/fetch_reader.h"
#include "services/upstream/upstream_cache.h"

namespace entrepot::upstream {

// The call ReadBlob: follows the fetch of a blob. It needs a thread of the executor only to open, and for each message;
// while it waits for the upstream or for the client it has none. If the fetch fails, so does the stream, with its
// status, before the blob's last byte. Deletes itself.
class UpstreamReadReactor final : public grpc::ServerWriteReactor<v1::ReadUpstreamBlobResponse> {
 public:
  // The most bytes in one message. Memory: one message.
  static constexpr size_t kMessageBytes = 256 * 1024;

  // A call that waits for the size of its blob shows so often that it is alive. After the last time it waits on, until
  // its caller gives up.
  static constexpr absl::Duration kWaitingInterval = absl::Seconds(10);
  static constexpr int kWaitingResponsesMax = 60;

  // `cache` and `executor` outlive the call; `request` is the call's.
  UpstreamReadReactor(UpstreamCache* cache, runtime::Executor* executor, const v1::ReadUpstreamBlobRequest* request,
                      absl::Duration waiting_interval = kWaitingInterval);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

 private:
  // At each moment one of these carries the call on: a job of the executor, a write, or the reader that is waited for.
  // Only in the last case does OnCancel() end the call; otherwise the next step does.
  struct Waiting;

  void Open();
  // Runs Continue() once the reader is ready: its size is known, or, after the head, there are bytes at the offset.
  // Before the head also after a while.
  void Wait();
  void Continue();
  void SendHead();
  // Shows that the call waits, and waits on.
  void SendWaiting();
  void SendBytes();
  // The bytes at the offset, at most one message, into response_; 0 if there are none yet.
  absl::StatusOr<size_t> Fill();
  bool IsCancelled() const;
  void FinishWith(const absl::Status& status);

  UpstreamCache& cache_;
  runtime::Executor& executor_;
  const v1::ReadUpstreamBlobRequest& request_;
  const size_t message_bytes_;
  const absl::Duration waiting_interval_;
  const std::shared_ptr<Waiting> waiting_;
  // Shared, so that OnCancel() may end the call while Wait() calls the reader.
  std::shared_ptr<FetchReader> reader_;
  bool head_sent_ = false;
  std::unique_ptr<grpc::Alarm> alarm_;
  int waiting_responses_ = 0;
  // The last step sent a response that shows that the call waits.
  bool waiting_sent_ = false;
  uint64_t offset_bytes_;
  uint64_t remaining_bytes_ = 0;
  v1::ReadUpstreamBlobResponse response_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_READ_REACTOR_H_
