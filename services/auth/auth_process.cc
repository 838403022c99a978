#include "services/auth/auth_process.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/auth/auth_service.h"
#include "services/auth/authentication_files.h"
#include "services/auth/authority.h"
#include "services/core/time/system_clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/threads/executor.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using config::v1::AuthServiceConfig;

// Besides those that wait for a password's hash.
constexpr size_t kExecutorThreads = 16;

class RunningAuthService : public runtime::RunningService {
 public:
  static absl::StatusOr<std::unique_ptr<runtime::RunningService>> Start(const AuthServiceConfig& config,
                                                                        const runtime::ServiceContext& context) {
    auto service = std::make_unique<RunningAuthService>();
    RETURN_IF_ERROR(service->Open(config, context));
    return service;
  }

  absl::Status CheckReady() override { return kv_->Health(); }
  std::vector<std::pair<std::string, std::string>> Addresses() const override { return {{"grpc", server_->address()}}; }
  void Drain(absl::Time deadline) override { server_->Shutdown(deadline); }

 private:
  absl::Status Open(const AuthServiceConfig& config, const runtime::ServiceContext& context) {
    ASSIGN_OR_RETURN(kv_, kv::KvStack::Open(absl::StrCat(config.data_directory(), "/kv"), context.registry,
                                            runtime::LogLibraryLine));
    context.add_collectable(kv_->engine_metrics());
    ASSIGN_OR_RETURN(authority_,
                     Authority::Open(config.authentication(),
                                     {.kv = kv_->engine(),
                                      .clock = &clock_,
                                      .registry = context.registry,
                                      .backup_directory = absl::StrCat(config.data_directory(), "/backups"),
                                      .snapshot_kv = [this](const std::string& to) { return kv_->Snapshot(to); }}));
    executor_ =
        std::make_unique<runtime::Executor>(kExecutorThreads + Authority::HashingThreadsMax(config.authentication()));
    service_ = std::make_unique<AuthService>(authority_.get(), executor_.get());
    ASSIGN_OR_RETURN(server_, runtime::GrpcServer::Start(config.grpc(), {service_.get()}, context.registry));
    return absl::OkStatus();
  }

  // In the order in which each depends on those before.
  SystemClock clock_;
  std::unique_ptr<kv::KvStack> kv_;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<runtime::Executor> executor_;
  std::unique_ptr<AuthService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
};

void FillAndCheck(AuthServiceConfig* config, runtime::ConfigProblems* problems) {
  runtime::FillDefaults(/*default_port=*/0, config->mutable_grpc());
  runtime::FillDefaults(config->mutable_authentication());
  runtime::CheckGrpcEndpoint("grpc", config->grpc(), problems);
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
  runtime::CheckAuthentication("authentication", config->authentication(), problems);
  CheckAuthenticationFiles("authentication", config->authentication(), problems);
}

}  // namespace

runtime::ServiceDefinition<AuthServiceConfig> AuthProcess() {
  runtime::ServiceDefinition<AuthServiceConfig> definition;
  definition.name = "entrepot-auth";
  definition.fill_and_check = FillAndCheck;
  definition.start = RunningAuthService::Start;
  return definition;
}

}  // namespace entrepot::auth
