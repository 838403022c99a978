#include "services/upstream/upstream_service.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"
#include "services/upstream/upstream_cache_test_fixture.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;

class UpstreamServiceTest : public UpstreamCacheTest {
 protected:
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

  std::unique_ptr<UpstreamManagement> management_;
  runtime::Executor executor_{2};
  std::unique_ptr<UpstreamService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
  std::unique_ptr<v1::UpstreamService::Stub> stub_;
};

TEST_F(UpstreamServiceTest, AnswersEveryCall) {
  const Digest digest = AddManifest("{}", "v1");
  AddManifest("{}", "v2");
  {
    grpc::ClientContext context;
    v1::ResolveManifestRequest request;
    request.set_repository(app_.ToString());
    request.set_reference("v1");
    v1::ResolveManifestResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->ResolveManifest(&context, request, &response)));
    EXPECT_EQ(response.digest(), digest.ToString());
    EXPECT_EQ(response.media_type(), kType);
    EXPECT_EQ(response.size_bytes(), 2u);
    EXPECT_TRUE(response.stored());
    EXPECT_EQ(response.stale_reason(), "");
  }
  {
    clock_.Advance(absl::Hours(1));
    upstream_->DeleteTag("team/app", "v1");
    grpc::ClientContext context;
    v1::ResolveManifestRequest request;
    request.set_repository(app_.ToString());
    request.set_reference("v1");
    request.set_metadata_only(true);
    v1::ResolveManifestResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->ResolveManifest(&context, request, &response)));
    EXPECT_EQ(response.age_seconds(), 3600u);
    EXPECT_NE(response.stale_reason(), "");
  }
  {
    grpc::ClientContext context;
    v1::FindUpstreamBlobRequest request;
    request.set_repository(app_.ToString());
    request.set_digest(upstream_->AddBlob("team/app", "bytes").ToString());
    v1::FindUpstreamBlobResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->FindBlob(&context, request, &response)));
    EXPECT_EQ(response.size_bytes(), 5u);
  }
  {
    grpc::ClientContext context;
    v1::ListUpstreamTagsRequest request;
    request.set_repository(app_.ToString());
    request.set_limit(1);
    request.set_last("v1");
    v1::ListUpstreamTagsResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->ListTags(&context, request, &response)));
    EXPECT_THAT(response.tags(), ElementsAre("v2"));
    EXPECT_FALSE(response.more());
  }
  {
    upstream_->SetReferrers("team/app", digest,
                            {{.digest = digest,
                              .media_type = kType,
                              .size_bytes = 2,
                              .artifact_type = "sig",
                              .annotations = {{"by", "ada"}}}});
    grpc::ClientContext context;
    v1::ListUpstreamReferrersRequest request;
    request.set_repository(app_.ToString());
    request.set_subject(digest.ToString());
    v1::ListUpstreamReferrersResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->ListReferrers(&context, request, &response)));
    ASSERT_EQ(response.referrers_size(), 1);
    EXPECT_EQ(response.referrers(0).digest(), digest.ToString());
    EXPECT_EQ(response.referrers(0).media_type(), kType);
    EXPECT_EQ(response.referrers(0).size_bytes(), 2u);
    EXPECT_EQ(response.referrers(0).artifact_type(), "sig");
    EXPECT_EQ(response.referrers(0).annotations().at("by"), "ada");
  }
  {
    grpc::ClientContext context;
    v1::ManageUpstreamsRequest request;
    request.mutable_list_upstreams();
    v1::ManageUpstreamsResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->Manage(&context, request, &response)));
    ASSERT_EQ(response.upstreams().upstreams_size(), 1);
    EXPECT_EQ(response.upstreams().upstreams(0).name(), "up.example");
  }
}

TEST_F(UpstreamServiceTest, AHangingUpstreamLeavesThreadsForOthers) {
  upstream_->HoldManifests();
  std::vector<std::thread> clients;
  // More than the executor has threads.
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([this, i] {
      grpc::ClientContext context;
      v1::ResolveManifestRequest request;
      request.set_repository(app_.ToString());
      request.set_reference(absl::StrCat("v", i));
      v1::ResolveManifestResponse response;
      EXPECT_THAT(FromGrpcStatus(stub_->ResolveManifest(&context, request, &response)),
                  IsOciError(OciErrorCode::kManifestUnknown));
    });
  }
  EXPECT_TRUE(Eventually([&] { return upstream_->waiting() > 0; }));
  // Often, as the other clients' calls may come later.
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    v1::ListUpstreamReferrersRequest request;
    request.set_repository("other.example/team/app");
    request.set_subject("sha256:" + std::string(64, '0'));
    v1::ListUpstreamReferrersResponse response;
    EXPECT_OK(FromGrpcStatus(stub_->ListReferrers(&context, request, &response)));
  }
  EXPECT_EQ(upstream_->waiting(), 1);
  upstream_->ReleaseManifests();
  for (std::thread& client : clients) client.join();
}

TEST_F(UpstreamServiceTest, PassesErrorsOn) {
  grpc::ClientContext context;
  v1::ResolveManifestRequest request;
  request.set_repository(app_.ToString());
  request.set_reference("v1");
  v1::ResolveManifestResponse response;
  EXPECT_THAT(FromGrpcStatus(stub_->ResolveManifest(&context, request, &response)),
              IsOciError(OciErrorCode::kManifestUnknown));
}

TEST_F(UpstreamServiceTest, RefusesInvalidRequests) {
  {
    grpc::ClientContext context;
    v1::ResolveManifestRequest request;
    request.set_repository("UP");
    request.set_reference("v1");
    v1::ResolveManifestResponse response;
    EXPECT_THAT(FromGrpcStatus(stub_->ResolveManifest(&context, request, &response)),
                IsOciError(OciErrorCode::kNameInvalid));
  }
  {
    grpc::ClientContext context;
    v1::FindUpstreamBlobRequest request;
    request.set_repository(app_.ToString());
    request.set_digest("sha256:1");
    v1::FindUpstreamBlobResponse response;
    EXPECT_THAT(FromGrpcStatus(stub_->FindBlob(&context, request, &response)),
                IsOciError(OciErrorCode::kDigestInvalid));
  }
}

}  // namespace
}  // namespace entrepot::upstream
