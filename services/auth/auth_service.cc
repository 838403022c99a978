#include "services/auth/auth_service.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/runtime/grpc/grpc_unary_call.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {

grpc::ServerUnaryReactor* AuthService::IssueToken(grpc::CallbackServerContext* context,
                                                  const v1::IssueTokenRequest* request,
                                                  v1::IssueTokenResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(*response, authority_.IssueToken(*request));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AuthService::GetVerification(grpc::CallbackServerContext* context,
                                                       const v1::GetVerificationRequest*,
                                                       v1::GetVerificationResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, response]() -> absl::Status {
    ASSIGN_OR_RETURN(*response, authority_.GetVerification());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AuthService::GetReadableRepositories(grpc::CallbackServerContext* context,
                                                               const v1::GetReadableRepositoriesRequest* request,
                                                               v1::GetReadableRepositoriesResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<std::string> patterns, authority_.GetReadableRepositories(request->account()));
    response->mutable_patterns()->Add(patterns.begin(), patterns.end());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AuthService::Administer(grpc::CallbackServerContext* context,
                                                  const v1::AdministerRequest* request,
                                                  v1::AdministerResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(*response, authority_.Administer(*request));
    return absl::OkStatus();
  });
}

}  // namespace entrepot::auth
