#include "services/upstream/upstream_read_reactor.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"
#include "services/upstream/registry/upstream_error.h"
#include "services/upstream/upstream_cache_test_fixture.h"
#include "services/upstream/upstream_service.h"

namespace entrepot::upstream {
namespace {

constexpr size_t kSize = 1'000'000;

std::string Content() {
  std::string content;
  for (size_t i = 0; content.size() < kSize; ++i) content += std::to_string(i) + " ";
  content.resize(kSize);
  return content;
}

class UpstreamReadReactorTest : public UpstreamCacheTest {
 protected:
  struct Response {
    absl::Status status;
    bool stored = false;
    uint64_t size_bytes = 0;
    std::string bytes;
    size_t largest_message = 0;
  };

  void SetUp() override {
    UpstreamCacheTest::SetUp();
    management_ = UpstreamManagement::Create(
        {.upstreams = file_.get(), .images = cache_.get(), .store = &store_, .clock = &clock_});
    service_ = std::make_unique<UpstreamService>(cache_.get(), management_.get(), &executor_, &executor_);
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    ASSERT_OK_AND_ASSIGN(server_, runtime::GrpcServer::Start(endpoint, {service_.get()}, registry_));
    stub_ = v1::UpstreamService::NewStub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  }

  v1::ReadUpstreamBlobRequest Request(const Digest& digest) const {
    v1::ReadUpstreamBlobRequest request;
    request.set_repository(app_.ToString());
    request.set_digest(digest.ToString());
    return request;
  }
  Response Read(const v1::ReadUpstreamBlobRequest& request) {
    grpc::ClientContext context;
    const auto stream = stub_->ReadBlob(&context, request);
    Response all;
    v1::ReadUpstreamBlobResponse response;
    for (bool first = true; stream->Read(&response); first = false) {
      if (first) {
        all.stored = response.stored();
        all.size_bytes = response.size_bytes();
        EXPECT_EQ(response.data(), "");
      } else {
        EXPECT_NE(response.data(), "");
      }
      all.largest_message = std::max(all.largest_message, response.data().size());
      all.bytes += response.data();
    }
    all.status = FromGrpcStatus(stream->Finish());
    return all;
  }

  const std::string content_ = Content();
  runtime::Executor executor_{2};
  std::unique_ptr<UpstreamManagement> management_;
  std::unique_ptr<UpstreamService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
  std::unique_ptr<v1::UpstreamService::Stub> stub_;
};

TEST_F(UpstreamReadReactorTest, StreamsABlobThenSendsToTheStore) {
  const Digest digest = upstream_->AddBlob("team/app", content_);
  // So that the fetch does not end before the head.
  upstream_->HoldAt(digest, 500'000);
  std::thread release([&] {
    EXPECT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
    upstream_->Release(digest);
  });
  const Response first = Read(Request(digest));
  release.join();
  EXPECT_OK(first.status);
  EXPECT_FALSE(first.stored);
  EXPECT_EQ(first.size_bytes, kSize);
  EXPECT_TRUE(first.bytes == content_);
  EXPECT_LE(first.largest_message, UpstreamReadReactor::kMessageBytes);
  const Response second = Read(Request(digest));
  EXPECT_OK(second.status);
  EXPECT_TRUE(second.stored);
  EXPECT_EQ(second.size_bytes, kSize);
  EXPECT_EQ(second.bytes, "");
}

TEST_F(UpstreamReadReactorTest, ReadersOfOneFetchGetTheirRanges) {
  const Digest digest = upstream_->AddBlob("team/app", content_);
  upstream_->HoldAt(digest, 500'000);
  struct Range {
    uint64_t offset_bytes;
    uint64_t length_bytes;
    std::string expected;
  };
  const std::vector<Range> ranges = {{0, 0, content_},
                                     {10, 20, content_.substr(10, 20)},
                                     {499'999, 2, content_.substr(499'999, 2)},
                                     {900'000, 0, content_.substr(900'000)},
                                     {900'000, kSize, content_.substr(900'000)},
                                     {kSize, 0, ""},
                                     {kSize + 1, 5, ""}};
  std::vector<Response> responses(ranges.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < ranges.size(); ++i) {
    threads.emplace_back([&, i] {
      v1::ReadUpstreamBlobRequest request = Request(digest);
      request.set_offset_bytes(ranges[i].offset_bytes);
      request.set_length_bytes(ranges[i].length_bytes);
      request.set_message_bytes_max(10'000);
      responses[i] = Read(request);
    });
  }
  // More readers wait than the executor has threads.
  EXPECT_TRUE(Eventually([&] { return upstream_->Holds(digest) && executor_.queue_depth() == 0; }));
  upstream_->Release(digest);
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_OK(responses[i].status) << i;
    // A reader that came late is sent to the store.
    if (responses[i].stored) continue;
    EXPECT_EQ(responses[i].size_bytes, kSize) << i;
    EXPECT_LE(responses[i].largest_message, 10'000u) << i;
    EXPECT_TRUE(responses[i].bytes == ranges[i].expected) << i;
  }
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
}

TEST_F(UpstreamReadReactorTest, AFetchThatFailsEndsTheStreamBeforeTheLastByte) {
  const Digest digest = upstream_->AddBlob("team/app", content_);
  std::string wrong = content_;
  wrong.back() = 'x';
  upstream_->SetScript(digest, {.body = wrong});
  const Response response = Read(Request(digest));
  EXPECT_THAT(response.status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_LT(response.bytes.size(), kSize);
  EXPECT_FALSE(store_.BlobOf(app_, digest).has_value());
}

TEST_F(UpstreamReadReactorTest, AMissingBlobIsUnknown) {
  const Digest digest = AddManifest("{}", "v1");
  EXPECT_THAT(Read(Request(digest)).status, IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_F(UpstreamReadReactorTest, RefusesInvalidRequests) {
  v1::ReadUpstreamBlobRequest request;
  request.set_repository(app_.ToString());
  request.set_digest("sha256:1");
  EXPECT_THAT(Read(request).status, IsOciError(OciErrorCode::kDigestInvalid));
}

TEST_F(UpstreamReadReactorTest, EndsWhenTheClientLeavesAndTheFetchGoesOn) {
  const Digest digest = upstream_->AddBlob("team/app", content_);
  // The size comes with the first bytes.
  for (const uint64_t held_at : {uint64_t{1}, uint64_t{500'000}}) {
    upstream_->HoldAt(digest, held_at);
    for (int i = 0; i < 20; ++i) {
      grpc::ClientContext context;
      const auto stream = stub_->ReadBlob(&context, Request(digest));
      v1::ReadUpstreamBlobResponse response;
      if (i % 2 == 0) {
        EXPECT_TRUE(stream->Read(&response));
      }
      context.TryCancel();
      while (stream->Read(&response)) {
      }
      EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
    }
    upstream_->Release(digest);
  }
  EXPECT_TRUE(Eventually([&] { return store_.BlobOf(app_, digest).has_value(); }));
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
  // The server stops only if no call is left, which the end of this test checks.
}

TEST_F(UpstreamReadReactorTest, StopEndsTheStreams) {
  const Digest digest = upstream_->AddBlob("team/app", content_);
  upstream_->HoldAt(digest, 500'000);
  std::thread stop([&] {
    EXPECT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
    cache_->Stop();
  });
  EXPECT_FALSE(Read(Request(digest)).status.ok());
  stop.join();
}

// The same call, which shows every few milliseconds that it waits.
class ImpatientService : public v1::UpstreamService::CallbackService {
 public:
  ImpatientService(UpstreamCache* cache, runtime::Executor* executor) : cache_(cache), executor_(executor) {}
  grpc::ServerWriteReactor<v1::ReadUpstreamBlobResponse>* ReadBlob(
      grpc::CallbackServerContext*, const v1::ReadUpstreamBlobRequest* request) override {
    return new UpstreamReadReactor(cache_, executor_, request, absl::Milliseconds(5));
  }

 private:
  UpstreamCache* const cache_;
  runtime::Executor* const executor_;
};

// A blob that another upstream service fetches.
class WaitingReadTest : public UpstreamReadReactorTest {
 protected:
  void SetUp() override {
    UpstreamReadReactorTest::SetUp();
    impatient_ = std::make_unique<ImpatientService>(cache_.get(), &executor_);
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    ASSERT_OK_AND_ASSIGN(impatient_server_, runtime::GrpcServer::Start(endpoint, {impatient_.get()}, registry_));
    stub_ = v1::UpstreamService::NewStub(
        grpc::CreateChannel(impatient_server_->address(), grpc::InsecureChannelCredentials()));
    ASSERT_THAT(
        store_.ClaimFetch(
            {.upstream = "up.example", .digest = digest_, .holder = "another service", .lifetime = absl::Seconds(10)}),
        IsOkAndHolds(true));
  }

  const Digest digest_ = upstream_->AddBlob("team/app", content_);
  std::unique_ptr<ImpatientService> impatient_;
  std::unique_ptr<runtime::GrpcServer> impatient_server_;
};

TEST_F(WaitingReadTest, ShowsThatItWaits) {
  grpc::ClientContext context;
  const auto stream = stub_->ReadBlob(&context, Request(digest_));
  v1::ReadUpstreamBlobResponse response;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_TRUE(response.waiting());
  }
  store_.EndClaims();
  std::string bytes;
  uint64_t size_bytes = 0;
  while (stream->Read(&response)) {
    if (response.waiting()) {
      EXPECT_EQ(size_bytes, 0u);
      continue;
    }
    if (size_bytes == 0) size_bytes = response.size_bytes();
    bytes += response.stored() ? content_ : response.data();
  }
  EXPECT_OK(FromGrpcStatus(stream->Finish()));
  EXPECT_EQ(size_bytes, kSize);
  EXPECT_TRUE(bytes == content_);
  EXPECT_EQ(store_.BlobOf(app_, digest_), content_);
}

TEST_F(WaitingReadTest, CanBeCancelled) {
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    const auto stream = stub_->ReadBlob(&context, Request(digest_));
    v1::ReadUpstreamBlobResponse response;
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_TRUE(response.waiting());
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

}  // namespace
}  // namespace entrepot::upstream
