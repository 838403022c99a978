#include "gateway/http/http1/http1_request_body.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "services/status/status_macros.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

constexpr absl::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// A body that the handler did not read is read to its end if that is quicker than a new connection.
constexpr uint64_t kDiscardBytesMax = 256 << 10;
constexpr std::chrono::seconds kDiscardTime{2};

}  // namespace

void Http1RequestBody::Begin(const RequestHead& head) {
  chunked_ = head.chunked();
  content_length_ = left_ = head.content_length();
  decoder_.Reset();
  surplus_.clear();
  continue_expected_ = head.expects_continue();
  bounded_by_rate_ = false;
  ended_ = !chunked_ && left_ == 0;
  bytes_read_ = 0;
  failure_ = absl::OkStatus();
}

std::optional<uint64_t> Http1RequestBody::content_length() const {
  if (chunked_) return std::nullopt;
  return content_length_;
}

asio::awaitable<absl::StatusOr<size_t>> Http1RequestBody::Read(char* data, size_t size) {
  if (!failure_.ok()) co_return failure_;
  if (ended_) co_return size_t{0};
  // Not `chunked_ ? co_await ... : co_await ...`: GCC 12 destroys the temporaries of such an expression twice.
  absl::StatusOr<size_t> read = size_t{0};
  if (chunked_) {
    read = co_await ReadChunked(data, size);
  } else {
    read = co_await ReadSized(data, size);
  }
  if (read.ok()) {
    bytes_read_ += *read;
  } else {
    failure_ = read.status();
  }
  co_return read;
}

asio::awaitable<absl::StatusOr<size_t>> Http1RequestBody::Receive(char* data, size_t size) {
  if (!bounded_by_rate_) {
    socket_->BoundByRate();
    bounded_by_rate_ = true;
  }
  if (continue_expected_) {
    continue_expected_ = false;
    CO_RETURN_IF_ERROR(co_await socket_->Write(kContinue));
  }
  absl::StatusOr<size_t> read = co_await socket_->Read(data, size);
  if (read.ok() && *read == 0) {
    co_return absl::UnavailableError("the client closed the connection in the middle of the request's body");
  }
  co_return read;
}

asio::awaitable<absl::StatusOr<size_t>> Http1RequestBody::ReadSized(char* data, size_t size) {
  size = std::min<uint64_t>(size, left_);
  if (buffer_->empty()) {
    CO_ASSIGN_OR_RETURN(size, co_await Receive(data, size));
  } else {
    const absl::string_view buffered = buffer_->unread().substr(0, size);
    size = buffered.size();
    std::memcpy(data, buffered.data(), size);
    buffer_->Consume(size);
  }
  left_ -= size;
  ended_ = left_ == 0;
  co_return size;
}

asio::awaitable<absl::StatusOr<size_t>> Http1RequestBody::ReadChunked(char* data, size_t size) {
  while (!ended_) {
    if (!buffer_->empty()) {
      CO_ASSIGN_OR_RETURN(const size_t decoded, DecodeBuffered(data, size));
      if (decoded > 0) co_return decoded;
      continue;
    }
    // Decoded in place: the framing is dropped, the data moves to the front.
    CO_ASSIGN_OR_RETURN(const size_t received, co_await Receive(data, size));
    CO_ASSIGN_OR_RETURN(const ChunkDecoder::Progress progress, decoder_.Decode(data, received, data, received));
    ended_ = decoder_.done();
    if (progress.consumed < received) surplus_.assign(data + progress.consumed, received - progress.consumed);
    if (progress.produced > 0) co_return progress.produced;
  }
  co_return size_t{0};
}

absl::StatusOr<size_t> Http1RequestBody::DecodeBuffered(char* data, size_t size) {
  const absl::string_view buffered = buffer_->unread();
  ASSIGN_OR_RETURN(const ChunkDecoder::Progress progress,
                   decoder_.Decode(buffered.data(), buffered.size(), data, size));
  buffer_->Consume(progress.consumed);
  ended_ = decoder_.done();
  return progress.produced;
}

bool Http1RequestBody::CanReuse() {
  if (!failure_.ok()) return false;
  if (!ended_ && chunked_ && !buffer_->empty()) {
    // A handler that knew the length may not have read the last chunk.
    std::array<char, 256> rest;
    if (absl::StatusOr<size_t> decoded = DecodeBuffered(rest.data(), rest.size()); !decoded.ok()) return false;
  }
  return ended_ || (!chunked_ && !continue_expected_ && left_ <= kDiscardBytesMax);
}

asio::awaitable<bool> Http1RequestBody::Discard() {
  socket_->BoundByDeadline(ClientSocket::Clock::now() + kDiscardTime);
  bounded_by_rate_ = true;
  std::array<char, 16384> dropped;
  while (!ended_) {
    const absl::StatusOr<size_t> read = co_await Read(dropped.data(), dropped.size());
    if (!read.ok()) co_return false;
  }
  co_return true;
}

void Http1RequestBody::ReturnSurplus() {
  if (!surplus_.empty()) buffer_->Assign(surplus_);
  surplus_ = std::string();
}

}  // namespace entrepot::gateway::http
