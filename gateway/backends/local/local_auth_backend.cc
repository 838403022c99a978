#include "gateway/backends/local/local_auth_backend.h"

#include "services/runtime/threads/executor_awaitable.h"

namespace entrepot::gateway {
namespace {

using boost::asio::awaitable;
using runtime::RunOn;

class LocalAuthBackend : public AuthBackend {
 public:
  LocalAuthBackend(auth::Authority* authority, runtime::Executor* executor)
      : authority_(authority), executor_(executor) {}

  awaitable<absl::StatusOr<auth::v1::IssueTokenResponse>> IssueToken(
      const CallContext&, const auth::v1::IssueTokenRequest& request) override {
    co_return co_await RunOn(*executor_, [&] { return authority_->IssueToken(request); });
  }

  awaitable<absl::StatusOr<auth::v1::GetVerificationResponse>> GetVerification(const CallContext&) override {
    co_return co_await RunOn(*executor_, [&] { return authority_->GetVerification(); });
  }

  awaitable<absl::StatusOr<std::vector<std::string>>> GetReadableRepositories(const CallContext& context) override {
    co_return co_await RunOn(*executor_, [&] { return authority_->GetReadableRepositories(context.caller.account); });
  }

  awaitable<absl::StatusOr<auth::v1::AdministerResponse>> Administer(
      const CallContext&, const auth::v1::AdministerRequest& request) override {
    co_return co_await RunOn(*executor_, [&] { return authority_->Administer(request); });
  }

 private:
  auth::Authority* const authority_;
  runtime::Executor* const executor_;
};

}  // namespace

std::unique_ptr<AuthBackend> MakeLocalAuthBackend(auth::Authority* authority, runtime::Executor* executor) {
  return std::make_unique<LocalAuthBackend>(authority, executor);
}

}  // namespace entrepot::gateway
