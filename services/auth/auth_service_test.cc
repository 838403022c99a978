#include "services/auth/auth_service.h"

#include <memory>

#include "services/auth/authority_test_fixture.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"

namespace entrepot::auth {
namespace {

class AuthServiceTest : public AuthorityTest {
 protected:
  void SetUp() override {
    AuthorityTest::SetUp();
    service_ = std::make_unique<AuthService>(authority_.get(), &executor_);
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    ASSERT_OK_AND_ASSIGN(server_, runtime::GrpcServer::Start(endpoint, {service_.get()}, registry_));
    stub_ = v1::AuthService::NewStub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  }

  runtime::Executor executor_{2};
  std::unique_ptr<AuthService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
  std::unique_ptr<v1::AuthService::Stub> stub_;
};

TEST_F(AuthServiceTest, AnswersEveryCall) {
  {
    grpc::ClientContext context;
    v1::IssueTokenResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->IssueToken(&context, As("ci", {"repository:driftwood/web:push"}), &response)));
    EXPECT_EQ(response.scope(), "repository:driftwood/web:push");
    EXPECT_EQ(ClaimsOf(response.token()).subject, "ci");
  }
  {
    grpc::ClientContext context;
    v1::GetVerificationResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->GetVerification(&context, {}, &response)));
    EXPECT_EQ(response.service(), "entrepot");
    EXPECT_OK(token::KeySet::Parse(response.key_set_json()));
  }
  {
    grpc::ClientContext context;
    v1::GetReadableRepositoriesRequest request;
    request.set_account("prod");
    v1::GetReadableRepositoriesResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->GetReadableRepositories(&context, request, &response)));
    EXPECT_THAT(response.patterns(), testing::ElementsAre("driftwood/web", "public/**"));
  }
  {
    grpc::ClientContext context;
    v1::AdministerRequest request;
    request.mutable_caller()->set_account("admin");
    request.mutable_list_users();
    v1::AdministerResponse response;
    ASSERT_OK(FromGrpcStatus(stub_->Administer(&context, request, &response)));
    EXPECT_EQ(response.users().users_size(), 3);
  }
}

TEST_F(AuthServiceTest, ErrorsCarryTheirCode) {
  grpc::ClientContext context, another;
  v1::IssueTokenResponse response;
  EXPECT_THAT(FromGrpcStatus(stub_->IssueToken(&context, Password("ci", "x"), &response)),
              IsOciError(OciErrorCode::kUnauthorized));
  v1::AdministerRequest request;
  request.mutable_list_users();
  v1::AdministerResponse answer;
  EXPECT_THAT(FromGrpcStatus(stub_->Administer(&another, request, &answer)), IsOciError(OciErrorCode::kDenied));
}

}  // namespace
}  // namespace entrepot::auth
