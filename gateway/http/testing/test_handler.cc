#include "gateway/http/testing/test_handler.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"

namespace entrepot::gateway::http::testing {
namespace {

namespace asio = boost::asio;

class DigitSource : public ByteStream {
 public:
  explicit DigitSource(uint64_t fails_at) : fails_at_(fails_at) {}

  asio::awaitable<absl::StatusOr<absl::string_view>> Next() override {
    if (position_ >= fails_at_) co_return absl::InternalError("the source broke");
    piece_.resize(std::min<uint64_t>(kPieceBytes, fails_at_ - position_));
    for (size_t i = 0; i < piece_.size(); ++i) piece_[i] = static_cast<char>('0' + (position_ + i) % 10);
    position_ += piece_.size();
    co_return piece_;
  }

 private:
  static constexpr size_t kPieceBytes = 256 << 10;

  const uint64_t fails_at_;
  std::string piece_;
  uint64_t position_ = 0;
};

// Longer than the pieces of every sender, and of an odd length.
std::string MakeContents() {
  std::string contents(5'000'003, '\0');
  uint32_t state = 1;
  for (char& c : contents) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return contents;
}

std::string MakeFilePath() {
  const char* const folder = std::getenv("TEST_TMPDIR");
  return absl::StrCat(folder == nullptr ? "/tmp" : folder, "/test_handler.", ::getpid());
}

asio::awaitable<absl::StatusOr<std::string>> ReadAll(RequestBody& body) {
  std::string all;
  std::string piece(100'000, '\0');
  while (true) {
    const absl::StatusOr<size_t> read = co_await body.Read(piece.data(), piece.size());
    if (!read.ok()) co_return read.status();
    if (*read == 0) co_return all;
    all.append(piece, 0, *read);
  }
}

std::string Describe(const Request& request) {
  std::string text = absl::StrCat("method=", request.method, "\npath=", request.path, "\nquery=", request.query,
                                  "\nremote=", request.remote_address, "\ntls=", request.is_tls ? "yes" : "no",
                                  "\nid=", request.request_id, "\n");
  for (const Request::Field& field : request.fields) absl::StrAppend(&text, field.name, "=", field.value, "\n");
  return text;
}

FileBody FileRange(const std::string& path, absl::string_view range) {
  const std::pair<std::string, std::string> ends = absl::StrSplit(range, absl::MaxSplits('-', 1));
  FileBody body{OwnedFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC))};
  uint64_t end = 0;
  if (!absl::SimpleAtoi(ends.first, &body.offset_bytes) || !absl::SimpleAtoi(ends.second, &end)) std::abort();
  body.length_bytes = end - body.offset_bytes;
  return body;
}

}  // namespace

TestHandler::TestHandler() : file_path_(MakeFilePath()), file_contents_(MakeContents()) {
  std::ofstream(file_path_, std::ios::binary) << file_contents_;
}

TestHandler::~TestHandler() { ::unlink(file_path_.c_str()); }

asio::awaitable<Response> TestHandler::Handle(Request& request) {
  ++handled_;
  Response response;
  response.route = "test";
  if (request.method == "HEAD") {
    response.head_content_length = 42;
  } else if (request.path == "/echo") {
    absl::StatusOr<std::string> body = co_await ReadAll(*request.body);
    response.status = body.ok() ? 200 : 400;
    response.body = body.ok() ? *std::move(body) : std::string(body.status().message());
  } else if (request.path == "/describe") {
    response.body = Describe(request);
  } else if (request.path == "/refuse") {
    response.status = 401;
    response.body = "no";
  } else if (request.path == "/fail") {
    const absl::StatusOr<std::string> body = co_await ReadAll(*request.body);
    response.body = absl::StatusCodeToString(body.status().code());
  } else if (request.path == "/file") {
    response.body = FileRange(file_path_, request.query);
  } else if (request.path == "/cold-file") {
    FileBody body = FileRange(file_path_, request.query);
    ::fdatasync(body.file.get());
    ::posix_fadvise(body.file.get(), 0, 0, POSIX_FADV_DONTNEED);
    response.body = std::move(body);
  } else if (request.path == "/missing-bytes") {
    response.body = FileRange(file_path_, absl::StrCat("0-", file_contents_.size() + 1));
  } else if (request.path == "/stream") {
    StreamBody body{std::make_unique<DigitSource>(UINT64_MAX), 0};
    if (!absl::SimpleAtoi(request.query, &body.length_bytes)) std::abort();
    response.body = std::move(body);
  } else if (request.path == "/broken") {
    response.body = StreamBody{std::make_unique<DigitSource>(10), 20};
  } else if (request.path == "/empty") {
    response.status = 204;
  } else if (request.path == "/wait") {
    ++waiting_;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!released_) {
      timer.expires_after(std::chrono::milliseconds(1));
      co_await timer.async_wait(asio::use_awaitable);
    }
    response.body = "waited";
  } else if (request.path == "/throw") {
    throw std::runtime_error("thrown by the test");
  } else {
    response.status = 404;
  }
  co_return response;
}

Response TestHandler::Refuse(int status, absl::string_view message) {
  Response response;
  response.status = status;
  response.body = std::string(message);
  return response;
}

std::string Digits(size_t size) {
  std::string digits(size, '\0');
  for (size_t i = 0; i < size; ++i) digits[i] = static_cast<char>('0' + i % 10);
  return digits;
}

}  // namespace entrepot::gateway::http::testing
