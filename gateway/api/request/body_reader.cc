#include "gateway/api/request/body_reader.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "boost/asio/experimental/awaitable_operators.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "gateway/api/request/counted_body.h"
#include "gateway/api/request/error_response.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

// Large enough that passing a buffer to another thread costs little compared to hashing it, small enough for its bytes
// to still be in the CPU's cache then.
constexpr size_t kCopyBufferBytes = 256 * 1024;
constexpr size_t kFirstReadBytes = http::MemoryBudget::kUncountedBytes;

absl::Status TooLong(uint64_t bytes_max, OciErrorCode code, absl::string_view setting) {
  return HttpError(413, code, absl::StrCat("the body is longer than ", bytes_max, " bytes (", setting, ")"));
}

// Reads a body up to a limit.
class BoundedSource {
 public:
  BoundedSource(http::RequestBody& body, uint64_t bytes_max)
      : body_(body), length_(body.content_length()), remaining_(bytes_max) {}

  // Fills `data`; only in part if the body ends, breaks off or exceeds the limit.
  awaitable<size_t> Fill(char* data, size_t size) {
    size_t filled = 0;
    while (filled < size && !ended()) {
      // Reading one byte beyond the limit shows whether the body ends there.
      const size_t wanted = std::min<uint64_t>(size - filled, std::max<uint64_t>(remaining_, 1));
      absl::StatusOr<size_t> count = co_await body_.Read(data + filled, wanted);
      if (count.ok() && *count <= remaining_) {
        filled += *count;
        Advance(*count);
      } else {
        error_ = count.status();
        too_long_ = count.ok();
      }
    }
    co_return filled;
  }

  bool ended() const { return at_end_ || too_long_ || !error_.ok(); }
  const absl::Status& error() const { return error_; }
  bool too_long() const { return too_long_; }

 private:
  void Advance(size_t count) {
    read_ += count;
    remaining_ -= count;
    at_end_ = count == 0 || read_ == length_;
  }

  http::RequestBody& body_;
  const std::optional<uint64_t> length_;
  uint64_t remaining_;
  uint64_t read_ = 0;
  bool at_end_ = false;
  bool too_long_ = false;
  absl::Status error_;
};

size_t CopyBufferBytes(const http::RequestBody& body) {
  return std::clamp<uint64_t>(body.content_length().value_or(kCopyBufferBytes), 1, kCopyBufferBytes);
}

}  // namespace

absl::Status BodyError(const absl::Status& status, OciErrorCode code) {
  const int http_status = absl::IsDeadlineExceeded(status) ? 408 : 400;
  return HttpError(http_status, code, absl::StrCat("the body broke off: ", status.message()));
}

awaitable<absl::StatusOr<WholeBody>> ReadWholeBody(const http::Request& request, size_t bytes_max, OciErrorCode code,
                                                   absl::string_view setting) {
  http::RequestBody& body = *request.body;
  const std::optional<uint64_t> length = body.content_length();
  if (length.value_or(0) > bytes_max) co_return TooLong(bytes_max, code, setting);
  WholeBody whole;
  whole.memory = request.ReserveMemory();
  std::string& bytes = whole.bytes;
  size_t size = 0;
  while (size != length) {
    if (size == bytes.size()) {
      // Grows with the bytes received, so that a large Content-Length alone takes no memory.
      const size_t next = std::min<uint64_t>(std::max(kFirstReadBytes, size * 2), length.value_or(bytes_max + 1));
      const absl::Status granted = whole.memory.GrowTo(next);
      if (!granted.ok()) co_return OutOfMemory(granted);
      bytes.resize(next);
    }
    absl::StatusOr<size_t> count = co_await body.Read(bytes.data() + size, bytes.size() - size);
    if (!count.ok()) co_return BodyError(count.status(), code);
    if (*count == 0) break;
    size += *count;
    if (size > bytes_max) co_return TooLong(bytes_max, code, setting);
  }
  bytes.resize(size);
  co_return whole;
}

awaitable<CopiedBody> CopyBody(const http::Request& request, UploadStream& stream, uint64_t bytes_max) {
  using boost::asio::experimental::awaitable_operators::operator&&;
  http::RequestBody& body = *request.body;
  size_t capacity = CopyBufferBytes(body);
  http::MemoryBudget::Reservation memory = request.ReserveMemory();
  // A body that fits into one buffer needs no second one.
  const bool fits = body.content_length().value_or(kCopyBufferBytes + 1) <= kCopyBufferBytes;
  if (!memory.TryGrowTo(fits ? capacity : 2 * capacity)) capacity = std::min(capacity, kFirstReadBytes);
  std::unique_ptr<char[]> front(new char[capacity]);
  std::unique_ptr<char[]> back;
  BoundedSource source(body, bytes_max);
  CopiedBody copied;
  size_t size = co_await source.Fill(front.get(), capacity);
  while (size > 0) {
    const absl::string_view chunk(front.get(), size);
    size_t next_size = 0;
    if (source.ended()) {
      copied.sink = co_await stream.Append(chunk);
    } else {
      if (back == nullptr) back.reset(new char[capacity]);
      std::tie(copied.sink, next_size) = co_await (stream.Append(chunk) && source.Fill(back.get(), capacity));
    }
    if (!copied.sink.ok()) break;
    copied.bytes += size;
    std::swap(front, back);
    size = next_size;
  }
  copied.source = source.error();
  copied.too_long = source.too_long();
  co_return copied;
}

}  // namespace entrepot::gateway::api
