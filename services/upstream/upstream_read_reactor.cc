#include "services/upstream/upstream_read_reactor.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/message_bytes.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

using Opened = std::variant<StoredBlob, std::unique_ptr<FetchReader>>;

absl::StatusOr<Opened> OpenBlob(UpstreamCache& cache, const v1::ReadUpstreamBlobRequest& request) {
  ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request.repository()));
  ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(request.digest()));
  return cache.OpenBlob(repository, digest, request.client());
}

}  // namespace

// The reader's callback refers to this, which may outlive the reactor.
struct UpstreamReadReactor::Waiting {
  absl::Mutex mutex;
  bool for_reader ABSL_GUARDED_BY(mutex) = false;
  bool cancelled ABSL_GUARDED_BY(mutex) = false;

  // Whether the caller is the one that ends the wait: the reactor lives until it has carried on.
  bool End() {
    const absl::MutexLock lock(&mutex);
    return std::exchange(for_reader, false);
  }
};

UpstreamReadReactor::UpstreamReadReactor(UpstreamCache* cache, runtime::Executor* executor,
                                         const v1::ReadUpstreamBlobRequest* request, absl::Duration waiting_interval)
    : cache_(*cache),
      executor_(*executor),
      request_(*request),
      message_bytes_(runtime::MessageBytes(request->message_bytes_max(), kMessageBytes)),
      waiting_interval_(waiting_interval),
      waiting_(std::make_shared<Waiting>()),
      offset_bytes_(request->offset_bytes()) {
  executor_.Post([this] { Open(); });
}

void UpstreamReadReactor::Open() {
  if (IsCancelled()) return Finish(grpc::Status::CANCELLED);
  absl::StatusOr<Opened> opened = OpenBlob(cache_, request_);
  if (!opened.ok()) return FinishWith(opened.status());
  if (const auto* const stored = std::get_if<StoredBlob>(&*opened)) {
    response_.set_stored(true);
    response_.set_size_bytes(stored->size_bytes);
    return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }
  reader_ = std::get<std::unique_ptr<FetchReader>>(*std::move(opened));
  Wait();
}

void UpstreamReadReactor::Wait() {
  // Once the wait has begun, the reactor may end at any time.
  const std::shared_ptr<FetchReader> reader = reader_;
  const bool head_sent = head_sent_;
  const uint64_t offset_bytes = offset_bytes_;
  auto ready = [this, waiting = waiting_] {
    if (waiting->End()) executor_.Post([this] { Continue(); });
  };
  bool cancelled = false;
  {
    const absl::MutexLock lock(&waiting_->mutex);
    cancelled = waiting_->cancelled;
    waiting_->for_reader = !cancelled;
    if (!cancelled && !head_sent && waiting_responses_ < kWaitingResponsesMax) {
      alarm_ = std::make_unique<grpc::Alarm>();
      alarm_->Set(runtime::GrpcDeadline(waiting_interval_).moment(), [ready](bool is_due) {
        if (is_due) ready();
      });
    }
  }
  if (cancelled) return Finish(grpc::Status::CANCELLED);
  if (head_sent) {
    reader->WhenReadable(offset_bytes, std::move(ready));
  } else {
    reader->WhenSizeKnown(std::move(ready));
  }
}

void UpstreamReadReactor::Continue() {
  if (IsCancelled()) return Finish(grpc::Status::CANCELLED);
  if (head_sent_) return SendBytes();
  SendHead();
}

void UpstreamReadReactor::SendHead() {
  const std::optional<uint64_t> size_bytes = reader_->size_bytes();
  if (const absl::Status status = reader_->status(); !status.ok()) return FinishWith(status);
  if (!size_bytes.has_value()) return SendWaiting();
  alarm_.reset();
  response_.Clear();
  response_.set_size_bytes(*size_bytes);
  if (reader_->stored()) {
    response_.set_stored(true);
    return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }
  head_sent_ = true;
  const uint64_t rest_bytes = offset_bytes_ < *size_bytes ? *size_bytes - offset_bytes_ : 0;
  remaining_bytes_ = request_.length_bytes() == 0 ? rest_bytes : std::min(rest_bytes, request_.length_bytes());
  StartWrite(&response_);
}

void UpstreamReadReactor::SendWaiting() {
  if (std::exchange(waiting_sent_, !waiting_sent_)) return Wait();
  ++waiting_responses_;
  response_.set_waiting(true);
  StartWrite(&response_);
}

void UpstreamReadReactor::SendBytes() {
  if (remaining_bytes_ == 0) {
    // An empty blob has no last bytes, which come once it is stored.
    const bool is_empty = reader_->size_bytes() == 0;
    const bool runs = !reader_->stored() && reader_->status().ok();
    if (is_empty && runs) return Wait();
    return FinishWith(is_empty ? reader_->status() : absl::OkStatus());
  }
  const absl::StatusOr<size_t> count = Fill();
  if (!count.ok()) return FinishWith(count.status());
  if (*count == 0) return Wait();
  if (remaining_bytes_ == 0) return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  StartWrite(&response_);
}

absl::StatusOr<size_t> UpstreamReadReactor::Fill() {
  response_.Clear();
  std::string& data = *response_.mutable_data();
  data.resize(std::min<uint64_t>(message_bytes_, remaining_bytes_));
  // Before the read: a fetch that ends afterwards is read again.
  const bool ended = reader_->stored() || !reader_->status().ok();
  ASSIGN_OR_RETURN(const size_t count, reader_->Read(offset_bytes_, data.data(), data.size()));
  if (count == 0 && ended) {
    RETURN_IF_ERROR(reader_->status());
    return absl::DataLossError("the fetched blob is shorter than its size");
  }
  data.resize(count);
  offset_bytes_ += count;
  remaining_bytes_ -= count;
  return count;
}

void UpstreamReadReactor::OnWriteDone(bool ok) {
  // The client has left.
  if (!ok) return Finish(grpc::Status::CANCELLED);
  executor_.Post([this] { Continue(); });
}

void UpstreamReadReactor::OnCancel() {
  bool ends = false;
  {
    const absl::MutexLock lock(&waiting_->mutex);
    waiting_->cancelled = true;
    ends = std::exchange(waiting_->for_reader, false);
  }
  if (ends) Finish(grpc::Status::CANCELLED);
}

bool UpstreamReadReactor::IsCancelled() const {
  const absl::MutexLock lock(&waiting_->mutex);
  return waiting_->cancelled;
}

void UpstreamReadReactor::FinishWith(const absl::Status& status) { Finish(ToGrpcStatus(status)); }

}  // namespace entrepot::upstream
