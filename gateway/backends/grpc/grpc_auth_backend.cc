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
  explicit GrpcAuthBackend(GrpcClient<v1::AuthService> client) : client_(std::move(client)) {}

  awaitable<absl::StatusOr<v1::IssueTokenResponse>> IssueToken(const CallContext& context,
                                                               const v1::IssueTokenRequest& request) override {
    return client_.Call(&Async::IssueToken, context.request_id, request);
  }

  awaitable<absl::StatusOr<v1::GetVerificationResponse>> GetVerification(const CallContext& context) override {
    return client_.Call(&Async::GetVerification, context.request_id, v1::GetVerificationRequest());
  }

  awaitable<absl::StatusOr<std::vector<std::string>>> GetReadableRepositories(const CallContext& context) override {
    v1::GetReadableRepositoriesRequest request;
    request.set_account(context.caller.account);
    CO_ASSIGN_OR_RETURN(const v1::GetReadableRepositoriesResponse response,
                        co_await client_.Call(&Async::GetReadableRepositories, context.request_id, std::move(request)));
    co_return std::vector<std::string>(response.patterns().begin(), response.patterns().end());
  }

  awaitable<absl::StatusOr<v1::AdministerResponse>> Administer(const CallContext& context,
                                                               const v1::AdministerRequest& request) override {
    if (OnlyReads(request)) {
      return client_.Call(&Async::Administer, context.request_id, request);
    }
    return client_.CallOnce(&Async::Administer, context.request_id, request);
  }

 private:
  using Async = GrpcClient<v1::AuthService>::Async;

  const GrpcClient<v1::AuthService> client_;
};

}  // namespace

std::unique_ptr<AuthBackend> MakeGrpcAuthBackend(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                 absl::Duration deadline, GrpcCallRegistry* calls) {
  return std::make_unique<GrpcAuthBackend>(GrpcClient<v1::AuthService>(std::move(replicas), calls, deadline));
}

}  // namespace entrepot::gateway
