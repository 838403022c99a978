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
#include "services/process/grpc_process.h"
#include "services/process/process_kv.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/threads/executor.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using config::v1::AuthServiceConfig;

// In addition to the threads that hash passwords.
constexpr size_t kExecutorThreads = 16;

class AuthHost final : public process::HostedService {
 public:
  AuthHost(std::unique_ptr<Authority> authority, runtime::Executor* executor)
      : authority_(std::move(authority)), service_(authority_.get(), executor) {}

  grpc::Service* grpc_service() override { return &service_; }
  std::vector<runtime::HealthCheck> Checks() override {
    return {{.name = "accounts", .without = runtime::Readiness::kNone, .check = [this] {
               return authority_->GetVerification().status();
             }}};
  }

 private:
  const std::unique_ptr<Authority> authority_;
  AuthService service_;
};

absl::StatusOr<std::unique_ptr<runtime::RunningService>> Start(const AuthServiceConfig& config,
                                                               const runtime::ServiceContext& context) {
  return process::StartGrpcProcess(
      {.data_directory = config.data_directory(),
       .records = config.records(),
       .endpoint = config.grpc(),
       .executor_threads = kExecutorThreads + Authority::HashingThreadsMax(config.authentication())},
      context,
      [&](const process::ProcessResources& resources) -> absl::StatusOr<std::unique_ptr<process::HostedService>> {
        ASSIGN_OR_RETURN(
            std::unique_ptr<Authority> authority,
            Authority::Open(config.authentication(),
                            {.kv = resources.kv->engine(),
                             .clock = resources.clock,
                             .registry = context.registry,
                             .backup_directory = absl::StrCat(config.data_directory(), "/backups"),
                             .snapshot_kv = [kv = resources.kv](const std::string& to) { return kv->Snapshot(to); }}));
        return std::make_unique<AuthHost>(std::move(authority), resources.executor);
      });
}

void FillAndCheck(AuthServiceConfig* config, runtime::ConfigProblems* problems) {
  process::FillAndCheckGrpc(config->mutable_grpc(), problems);
  process::FillAndCheckRecords(config->mutable_records(), problems);
  runtime::FillDefaults(config->mutable_authentication());
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
  runtime::CheckAuthentication("authentication", config->authentication(), problems);
  CheckAuthenticationFiles("authentication", config->authentication(), problems);
}

}  // namespace

runtime::ServiceDefinition<AuthServiceConfig> AuthProcess() {
  runtime::ServiceDefinition<AuthServiceConfig> definition;
  definition.name = "entrepot-auth";
  definition.fill_and_check = FillAndCheck;
  definition.start = Start;
  return definition;
}

}  // namespace entrepot::auth
