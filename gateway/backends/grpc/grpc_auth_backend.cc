#include "gateway/backends/grpc/grpc_auth_backend.h"

#include <string>
#include <utility>
#include <vector>

#include "entrepot/auth/v1/auth_service.grpc.pb.h"
#include "gateway/backends/grpc/grpc_client.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {
namespace {

namespace v1 = auth::v1;
using boost::asio::awaitable;

// Whether the command may be sent twice.
bool OnlyReads(const v1::AdministerRequest& request) {
  switch (request.command_case()) {
    case v1::AdministerRequest::kListUsers:
    case v1::AdministerRequest::kListRobots:
    case v1::AdministerRequest::kListGroups:
    case v1::AdministerRequest::kListKeys:
    case v1::AdministerRequest::kExplain:
    case v1::AdministerRequest::kCheckPolicy:
      return true;
    default:
      return false;
  }
}

class GrpcAuthBackend : public AuthBackend {
 public:
  GrpcAuthBackend(std::shared_ptr<grpc::Channel> channel, const GrpcClient& client)
      : channel_(std::move(channel)), stub_(v1::AuthService::NewStub(channel_)), client_(client) {}

  awaitable<absl::StatusOr<v1::IssueTokenResponse>> IssueToken(const CallContext& context,
                                                               const v1::IssueTokenRequest& request) override {
    return client_.Call(stub_->async(), &Async::IssueToken, context.request_id, request);
  }

  awaitable<absl::StatusOr<v1::GetVerificationResponse>> GetVerification(const CallContext& context) override {
    return client_.Call(stub_->async(), &Async::GetVerification, context.request_id, v1::GetVerificationRequest());
  }

  awaitable<absl::StatusOr<std::vector<std::string>>> GetReadableRepositories(const CallContext& context) override {
    v1::GetReadableRepositoriesRequest request;
    request.set_account(context.caller.account);
    CO_ASSIGN_OR_RETURN(
        const v1::GetReadableRepositoriesResponse response,
        co_await client_.Call(stub_->async(), &Async::GetReadableRepositories, context.request_id, std::move(request)));
    co_return std::vector<std::string>(response.patterns().begin(), response.patterns().end());
  }

  awaitable<absl::StatusOr<v1::AdministerResponse>> Administer(const CallContext& context,
                                                               const v1::AdministerRequest& request) override {
    if (OnlyReads(request)) {
      return client_.Call(stub_->async(), &Async::Administer, context.request_id, request);
    }
    return client_.CallOnce(stub_->async(), &Async::Administer, context.request_id, request);
  }

 private:
  using Async = v1::AuthService::StubInterface::async_interface;

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::AuthService::StubInterface> stub_;
  const GrpcClient client_;
};

}  // namespace

std::unique_ptr<AuthBackend> MakeGrpcAuthBackend(std::shared_ptr<grpc::Channel> channel, absl::Duration deadline,
                                                 GrpcCallRegistry* calls) {
  return std::make_unique<GrpcAuthBackend>(std::move(channel), GrpcClient(calls, deadline));
}

}  // namespace entrepot::gateway
