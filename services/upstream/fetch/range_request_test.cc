#include "services/upstream/fetch/range_request.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/upstream/testing/fake_upstream_registry.h"

namespace entrepot::upstream {
namespace {

constexpr size_t kSize = 3 * RangeRequest::kWindowBytes;

class RangeRequestTest : public ::testing::Test {
 protected:
  ~RangeRequestTest() override { End(); }

  std::shared_ptr<RangeRequest> Start(uint64_t offset, uint64_t end,
                                      std::chrono::milliseconds patience = std::chrono::minutes(1)) {
    request_ = std::make_shared<RangeRequest>(RangeRequest::Range{.upstream = upstream_,
                                                                  .name_at_upstream = "team/app",
                                                                  .digest = digest_,
                                                                  .offset_bytes = offset,
                                                                  .end_bytes = end},
                                              patience);
    thread_ = std::thread([this] {
      request_->Run();
      ended_ = true;
    });
    return request_;
  }
  void End() {
    if (!thread_.joinable()) return;
    request_->Cancel();
    upstream_->Stop();
    thread_.join();
  }
  // What the request gives from the offset on.
  std::string ReadAll(uint64_t offset) {
    std::string bytes;
    std::string buffer(50'000, ' ');
    for (;;) {
      const std::optional<size_t> count = request_->Read(offset + bytes.size(), buffer.data(), buffer.size());
      if (!count.has_value()) return bytes;
      bytes.append(buffer, 0, *count);
    }
  }

  std::string content_ = [] {
    std::string bytes(kSize, ' ');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * 2654435761u) >> 13);
    return bytes;
  }();
  const std::shared_ptr<FakeUpstreamRegistry> upstream_ = std::make_shared<FakeUpstreamRegistry>();
  const Digest digest_ = upstream_->AddBlob("team/app", content_);
  std::atomic<bool> ended_ = false;
  std::shared_ptr<RangeRequest> request_;
  std::thread thread_;
};

TEST_F(RangeRequestTest, GivesTheBytesOfTheRangeAndNoMore) {
  Start(1000, kSize - 5000);
  EXPECT_TRUE(ReadAll(1000) == content_.substr(1000, kSize - 6000));
  EXPECT_TRUE(Eventually([&] { return ended_.load(); }));
  EXPECT_THAT(upstream_->BlobReads(digest_), ::testing::ElementsAre(1000));
}

TEST_F(RangeRequestTest, CallsOnceThereAreBytes) {
  upstream_->HoldAt(digest_, 1000);
  Start(1000, 2000);
  std::atomic<int> calls = 0;
  request_->WhenReadable([&] { ++calls; });
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest_); }));
  char byte = 0;
  EXPECT_EQ(request_->Read(1000, &byte, 1), 0u);
  EXPECT_EQ(calls, 0);
  upstream_->Release(digest_);
  EXPECT_TRUE(Eventually([&] { return calls == 1; }));
  EXPECT_EQ(request_->Read(1000, &byte, 1), 1u);
  EXPECT_EQ(byte, content_[1000]);
  // Another place is not part of it.
  EXPECT_EQ(request_->Read(1500, &byte, 1), std::nullopt);
}

TEST_F(RangeRequestTest, KeepsOneWindowForASlowReader) {
  Start(0, kSize);
  std::atomic<bool> readable = false;
  request_->WhenReadable([&] { readable = true; });
  ASSERT_TRUE(Eventually([&] { return readable.load(); }));
  // The request cannot end before the reader has taken what is more than a window.
  std::string bytes(kSize, ' ');
  size_t count = 0;
  while (count < kSize - RangeRequest::kWindowBytes - 1) {
    EXPECT_FALSE(ended_);
    const size_t wanted = std::min<size_t>(10'000, kSize - RangeRequest::kWindowBytes - 1 - count);
    count += request_->Read(count, bytes.data() + count, wanted).value();
  }
  EXPECT_TRUE(bytes.substr(0, count) == content_.substr(0, count));
}

TEST_F(RangeRequestTest, EndsForAReaderThatStopsReading) {
  Start(0, kSize, std::chrono::milliseconds(10));
  EXPECT_TRUE(Eventually([&] { return ended_.load(); }));
  // What has come is read all the same.
  EXPECT_TRUE(ReadAll(0) == content_.substr(0, RangeRequest::kWindowBytes));
}

TEST_F(RangeRequestTest, EndsIfTheUpstreamIgnoresRanges) {
  upstream_->SetScript(digest_, {.ignores_offset = true});
  Start(1000, 2000);
  request_->WhenReadable([] { ADD_FAILURE() << "has bytes"; });
  EXPECT_TRUE(Eventually([&] { return ended_.load(); }));
  EXPECT_EQ(ReadAll(1000), "");
}

TEST_F(RangeRequestTest, EndsWhenItIsCancelled) {
  Start(0, kSize);
  std::atomic<bool> readable = false;
  request_->WhenReadable([&] { readable = true; });
  ASSERT_TRUE(Eventually([&] { return readable.load(); }));
  request_->Cancel();
  EXPECT_TRUE(Eventually([&] { return ended_.load(); }));
}

}  // namespace
}  // namespace entrepot::upstream
