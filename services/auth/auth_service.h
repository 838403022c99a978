#ifndef ENTREPOT_SERVICES_AUTH_AUTH_SERVICE_H_
#define ENTREPOT_SERVICES_AUTH_AUTH_SERVICE_H_

#include "entrepot/auth/v1/auth_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/auth/authority.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::auth {

// The gRPC service entrepot.auth.v1.AuthService: runs each call of Authority on the executor.
class AuthService : public v1::AuthService::CallbackService {
 public:
  // Both must outlive the server that this service is registered with.
  AuthService(Authority* authority, runtime::Executor* executor) : authority_(*authority), executor_(*executor) {}

  grpc::ServerUnaryReactor* IssueToken(grpc::CallbackServerContext* context, const v1::IssueTokenRequest* request,
                                       v1::IssueTokenResponse* response) override;
  grpc::ServerUnaryReactor* GetVerification(grpc::CallbackServerContext* context,
                                            const v1::GetVerificationRequest* request,
                                            v1::GetVerificationResponse* response) override;
  grpc::ServerUnaryReactor* GetReadableRepositories(grpc::CallbackServerContext* context,
                                                    const v1::GetReadableRepositoriesRequest* request,
                                                    v1::GetReadableRepositoriesResponse* response) override;
  grpc::ServerUnaryReactor* Administer(grpc::CallbackServerContext* context, const v1::AdministerRequest* request,
                                       v1::AdministerResponse* response) override;

 private:
  Authority& authority_;
  runtime::Executor& executor_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTH_SERVICE_H_
