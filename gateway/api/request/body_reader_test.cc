#include "gateway/api/request/body_reader.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "boost/asio/io_context.hpp"
#include "gateway/api/request/error_response.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/content.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

// A body in pieces of a given size that ends, or breaks off with a status.
class ScriptedBody : public http::RequestBody {
 public:
  ScriptedBody(std::string bytes, std::optional<uint64_t> length, size_t piece, absl::Status end = absl::OkStatus())
      : bytes_(std::move(bytes)), length_(length), piece_(piece), end_(std::move(end)) {}

  std::optional<uint64_t> content_length() const override { return length_; }
  awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size) override {
    EXPECT_GT(size, 0u);
    if (on_read_) on_read_(at_);
    const size_t count = std::min({size, piece_, bytes_.size() - at_});
    if (count == 0 && !end_.ok()) co_return end_;
    std::memcpy(data, bytes_.data() + at_, count);
    at_ += count;
    co_return count;
  }
  size_t read() const { return at_; }
  // Called at each Read() with the bytes read before.
  void set_on_read(std::function<void(size_t)> on_read) { on_read_ = std::move(on_read); }

 private:
  const std::string bytes_;
  const std::optional<uint64_t> length_;
  const size_t piece_;
  const absl::Status end_;
  std::function<void(size_t)> on_read_;
  size_t at_ = 0;
};

http::Request RequestWith(http::RequestBody* body, http::MemoryBudget* memory = nullptr) {
  http::Request request;
  request.body = body;
  request.memory = memory;
  request.remote_address = "192.0.2.1";
  return request;
}

// Keeps the appended bytes. Fails after `appends_max` calls.
class KeepingStream : public UploadStream {
 public:
  explicit KeepingStream(int appends_max = 1'000'000) : appends_left_(appends_max) {}

  awaitable<absl::Status> Append(absl::string_view bytes) override {
    if (appends_left_-- == 0) co_return absl::UnavailableError("disk full");
    kept_.append(bytes.data(), bytes.size());
    largest_ = std::max(largest_, bytes.size());
    co_return absl::OkStatus();
  }
  awaitable<absl::StatusOr<Upload>> Finish() override { co_return absl::UnimplementedError("not used"); }
  awaitable<absl::StatusOr<Blob>> FinishAndSeal(const Digest&) override {
    co_return absl::UnimplementedError("not used");
  }
  const std::string& kept() const { return kept_; }
  size_t largest() const { return largest_; }

 private:
  int appends_left_;
  std::string kept_;
  size_t largest_ = 0;
};

template <typename T>
T Await(awaitable<T> awaitable) {
  boost::asio::io_context context;
  return RunAwaitable(context, std::move(awaitable));
}

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

TEST(ReadWholeBodyTest, ReadsUpToTheLimit) {
  for (const size_t size : {0, 1, 16'384, 16'385, 100'000}) {
    for (const bool known : {true, false}) {
      const std::string bytes = Bytes(size);
      ScriptedBody body(bytes, known ? std::optional<uint64_t>(size) : std::nullopt, 777);
      const auto read = Await(ReadWholeBody(RequestWith(&body), 100'000, OciErrorCode::kManifestInvalid));
      ASSERT_OK(read);
      EXPECT_EQ(read->bytes == bytes, true) << size << known;
    }
  }
}

TEST(ReadWholeBodyTest, StopsAfterTheLimit) {
  ScriptedBody known(Bytes(11), 11, 100);
  EXPECT_THAT(Await(ReadWholeBody(RequestWith(&known), 10, OciErrorCode::kManifestInvalid)),
              IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_EQ(known.read(), 0u);
  ScriptedBody endless(Bytes(1'000'000), std::nullopt, 100);
  EXPECT_THAT(Await(ReadWholeBody(RequestWith(&endless), 1000, OciErrorCode::kManifestInvalid)),
              IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_LE(endless.read(), 1100u);
}

TEST(ReadWholeBodyTest, ReportsABodyThatBreaksOff) {
  ScriptedBody body("abc", 10, 100, absl::UnavailableError("gone"));
  EXPECT_THAT(Await(ReadWholeBody(RequestWith(&body), 100, OciErrorCode::kManifestInvalid)),
              IsOciError(OciErrorCode::kManifestInvalid));
}

TEST(ReadWholeBodyTest, ReservesWhatHasArrived) {
  const auto registry = std::make_shared<prometheus::Registry>();
  http::MemoryBudget budget(1'600'000, registry);
  const auto used = [&] {
    for (const auto& family : registry->Collect()) {
      if (family.name == "entrepot_http_body_memory_bytes") return family.metric.front().gauge.value;
    }
    return -1.0;
  };
  for (const bool known : {true, false}) {
    const size_t size = 100'000;
    ScriptedBody body(Bytes(size), known ? std::optional<uint64_t>(size) : std::nullopt, 777);
    double largest = 0;
    body.set_on_read([&](size_t read) {
      EXPECT_LE(used(), std::max<double>(2.0 * static_cast<double>(read), 32 * 1024)) << read;
      largest = std::max(largest, used());
    });
    const http::Request request = RequestWith(&body, &budget);
    const auto read = Await(ReadWholeBody(request, 400'000, OciErrorCode::kManifestInvalid));
    ASSERT_OK(read);
    EXPECT_GE(largest, 90'000);
    EXPECT_GE(used(), 100'000) << "reserved as long as the body is kept";
  }
  EXPECT_EQ(used(), 0);
}

TEST(ReadWholeBodyTest, RefusesABodyForWhichThereIsNoMemory) {
  const auto registry = std::make_shared<prometheus::Registry>();
  http::MemoryBudget budget(1'000'000, registry);
  ScriptedBody body(Bytes(400'000), 400'000, 10'000);
  const auto read = Await(ReadWholeBody(RequestWith(&body, &budget), 400'000, OciErrorCode::kManifestInvalid));
  const http::Response response = ErrorResponse(read.status(), "id");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(std::get<std::string>(response.body), testing::HasSubstr("limits.body_memory_bytes_max"));
  EXPECT_LT(body.read(), 200'000u);
}

TEST(CopyBodyTest, CopiesInOrder) {
  for (const size_t size : {0, 1, 262'143, 262'144, 262'145, 1'000'000}) {
    for (const bool known : {true, false}) {
      const std::string bytes = Bytes(size);
      ScriptedBody body(bytes, known ? std::optional<uint64_t>(size) : std::nullopt, 100'003);
      KeepingStream stream;
      const CopiedBody copied = Await(CopyBody(RequestWith(&body), stream));
      EXPECT_OK(copied.source);
      EXPECT_OK(copied.sink);
      EXPECT_FALSE(copied.too_long);
      EXPECT_EQ(copied.bytes, size);
      EXPECT_EQ(stream.kept() == bytes, true) << size << known;
    }
  }
}

TEST(CopyBodyTest, UsesSmallBuffersWithoutMemory) {
  const auto registry = std::make_shared<prometheus::Registry>();
  http::MemoryBudget budget(1'000'000, registry);
  const std::string bytes = Bytes(1'000'000);
  ScriptedBody body(bytes, bytes.size(), 1'000'000);
  KeepingStream stream;
  const CopiedBody copied = Await(CopyBody(RequestWith(&body, &budget), stream));
  EXPECT_OK(copied.source);
  EXPECT_OK(copied.sink);
  EXPECT_EQ(stream.kept() == bytes, true);
  EXPECT_LE(stream.largest(), 16u * 1024);
}

TEST(CopyBodyTest, KeepsTheBytesBeforeABreak) {
  const std::string bytes = Bytes(300'000);
  ScriptedBody body(bytes, 400'000, 1000, absl::UnavailableError("gone"));
  KeepingStream stream;
  const CopiedBody copied = Await(CopyBody(RequestWith(&body), stream));
  EXPECT_THAT(copied.source, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(copied.bytes, 300'000u);
  EXPECT_EQ(stream.kept() == bytes, true);
}

TEST(CopyBodyTest, StopsWhenTheStreamFails) {
  ScriptedBody body(Bytes(2'000'000), std::nullopt, 65'536);
  KeepingStream stream(2);
  const CopiedBody copied = Await(CopyBody(RequestWith(&body), stream));
  EXPECT_THAT(copied.sink, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(copied.bytes, stream.kept().size());
  EXPECT_LT(body.read(), 1'500'000u);
}

TEST(CopyBodyTest, StopsAtTheLimit) {
  for (const size_t size : {1000, 1001, 900'000}) {
    ScriptedBody body(Bytes(size), std::nullopt, 64);
    KeepingStream stream;
    const CopiedBody copied = Await(CopyBody(RequestWith(&body), stream, 1000));
    EXPECT_EQ(copied.too_long, size > 1000) << size;
    EXPECT_EQ(copied.bytes, 1000u) << size;
    EXPECT_EQ(stream.kept() == Bytes(1000), true) << size;
    EXPECT_LE(body.read(), 1064u) << size;
  }
}

TEST(BodyErrorTest, DistinguishesASlowClientFromABrokenBody) {
  const auto http_status = [](const absl::Status& status) {
    const absl::Status error = BodyError(status, OciErrorCode::kBlobUploadInvalid);
    EXPECT_THAT(error, IsOciError(OciErrorCode::kBlobUploadInvalid));
    return ErrorResponse(error, "id").status;
  };
  EXPECT_EQ(http_status(absl::DeadlineExceededError("slow")), 408);
  EXPECT_EQ(http_status(absl::UnavailableError("gone")), 400);
  EXPECT_EQ(http_status(absl::InvalidArgumentError("malformed")), 400);
}

}  // namespace
}  // namespace entrepot::gateway::api
