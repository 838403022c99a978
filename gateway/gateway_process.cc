#include "gateway/gateway_process.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/api/registry_api.h"
#include "gateway/backends/grpc/grpc_auth_backend.h"
#include "gateway/backends/grpc/grpc_blob_backend.h"
#include "gateway/backends/grpc/grpc_call_registry.h"
#include "gateway/backends/grpc/grpc_manifest_backend.h"
#include "gateway/backends/grpc/grpc_upstream_backend.h"
#include "gateway/backends/grpc/shared_object_files.h"
#include "gateway/http/server/server.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/config/descriptor_checks.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/runtime/log/audit_log.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/names/upstreams_file.h"

namespace entrepot::gateway {
namespace {

// The upstream service may have to wait for an upstream.
constexpr int64_t kUpstreamDeadlineSeconds = 60;

// Each member may use the members above it.
class GatewayProcess final : public runtime::RunningService {
 public:
  static absl::StatusOr<std::unique_ptr<GatewayProcess>> Start(const config::v1::GatewayConfig& config,
                                                               const runtime::ServiceContext& context) {
    std::unique_ptr<GatewayProcess> process(new GatewayProcess());
    process->Connect(config, context);
    ASSIGN_OR_RETURN(process->audit_, runtime::AuditLog::Open(config.audit_file(), context.registry));
    api::RegistryAccounts accounts;
    accounts.auth = process->auth_.get();
    accounts.audit = process->audit_.get();
    api::RegistryUpstreams upstreams;
    if (process->upstreams_ != nullptr) {
      ASSIGN_OR_RETURN(process->upstreams_file_,
                       upstream::UpstreamsFile::Open(config.upstreams_file(), context.registry));
      upstreams.backend = process->upstreams_.get();
      upstreams.current = [file = process->upstreams_file_.get()] { return file->current(); };
    }
    process->api_ = api::MakeRegistryApi(process->blobs_.get(), process->manifests_.get(), config.listen(),
                                         config.limits(), context.registry, accounts, upstreams);
    http::Server::Options options;
    options.endpoint = config.listen();
    options.limits = config.limits();
    ASSIGN_OR_RETURN(process->server_, http::Server::Start(options, process->api_.get(), context.registry));
    return process;
  }

  // Calls resume coroutines of the server, so they must end before it.
  ~GatewayProcess() override {
    if (server_ != nullptr && !drained_) Drain(Deadline::Passed());
  }

  std::vector<runtime::HealthCheck> Checks() override {
    std::vector<runtime::HealthCheck> checks;
    const auto add = [&checks](std::string name, runtime::Readiness without, std::function<absl::Status()> check) {
      checks.push_back({.name = std::move(name), .without = without, .check = std::move(check)});
    };
    for (const auto& [name, replicas] :
         {std::pair("blob service", blob_service_), std::pair("manifest service", manifest_service_)}) {
      add(name, runtime::Readiness::kNone, [replicas = replicas] { return replicas->CheckReady(); });
      add(absl::StrCat(name, " writes"), runtime::Readiness::kPulls,
          [replicas = replicas] { return replicas->CheckWritable(); });
    }
    if (auth_service_ != nullptr) {
      add("auth service", runtime::Readiness::kNone, [this] { return auth_service_->CheckReady(); });
    }
    return checks;
  }

  std::vector<std::pair<std::string, std::string>> Addresses() const override {
    return {{"listen", server_->Address()}};
  }

  void AnnounceDrain() override { server_->CloseAfterResponses(); }

  void Drain(Deadline deadline) override {
    drained_ = true;
    server_->Drain(deadline);
    calls_.CancelAll();
  }

 private:
  GatewayProcess() = default;

  void Connect(const config::v1::GatewayConfig& config, const runtime::ServiceContext& context) {
    blob_service_ = runtime::ServiceReplicas::Connect(config.blob_service(), context.registry);
    std::unique_ptr<SharedObjectFiles> files;
    if (!config.blob_files_directory().empty()) {
      files = std::make_unique<SharedObjectFiles>(config.blob_files_directory(), context.registry);
    }
    blobs_ = MakeGrpcBlobBackend(blob_service_, runtime::ToDuration(config.blob_service().deadline()), &calls_,
                                 std::move(files));
    manifest_service_ = runtime::ServiceReplicas::Connect(config.manifest_service(), context.registry);
    manifests_ =
        MakeGrpcManifestBackend(manifest_service_, runtime::ToDuration(config.manifest_service().deadline()), &calls_);
    if (config.has_upstream_service()) {
      upstream_service_ = runtime::ServiceReplicas::Connect(config.upstream_service(), context.registry);
      upstreams_ = MakeGrpcUpstreamBackend(upstream_service_, runtime::ToDuration(config.upstream_service().deadline()),
                                           &calls_);
    }
    if (!config.has_auth_service()) return;
    auth_service_ = runtime::ServiceReplicas::Connect(config.auth_service(), context.registry);
    auth_ = MakeGrpcAuthBackend(auth_service_, runtime::ToDuration(config.auth_service().deadline()), &calls_);
  }

  GrpcCallRegistry calls_;
  std::shared_ptr<runtime::ServiceReplicas> blob_service_;
  std::shared_ptr<runtime::ServiceReplicas> manifest_service_;
  std::shared_ptr<runtime::ServiceReplicas> auth_service_;      // Null without accounts.
  std::shared_ptr<runtime::ServiceReplicas> upstream_service_;  // Null without upstreams.
  std::unique_ptr<BlobBackend> blobs_;
  std::unique_ptr<ManifestBackend> manifests_;
  std::unique_ptr<AuthBackend> auth_;           // Null without accounts.
  std::unique_ptr<UpstreamBackend> upstreams_;  // Null without upstreams, as the next.
  std::unique_ptr<upstream::UpstreamsFile> upstreams_file_;
  std::unique_ptr<runtime::AuditLog> audit_;
  std::unique_ptr<http::Handler> api_;
  std::unique_ptr<http::Server> server_;
  bool drained_ = false;
};

}  // namespace

void FillAndCheck(config::v1::GatewayConfig* config, runtime::ConfigProblems* problems) {
  runtime::FillDefaults(config->mutable_listen());
  runtime::FillDefaults(config->mutable_limits());
  runtime::FillDefaults(config->mutable_blob_service());
  runtime::FillDefaults(config->mutable_manifest_service());
  if (config->has_auth_service()) runtime::FillDefaults(config->mutable_auth_service());
  if (config->has_upstream_service()) {
    config::v1::Service* const service = config->mutable_upstream_service();
    if (!service->has_deadline()) service->mutable_deadline()->set_seconds(kUpstreamDeadlineSeconds);
    runtime::FillDefaults(service);
  }
  const bool authenticated = config->has_auth_service();
  runtime::CheckPublicEndpoint("listen", config->listen(),
                               authenticated ? runtime::Access::kAuthenticated : runtime::Access::kOpen, problems);
  runtime::CheckLimits("limits", config->limits(), problems);
  runtime::FitToDescriptors("limits", /*kept_back=*/0, runtime::DescriptorLimit(), config->mutable_limits(), problems);
  runtime::CheckService("blob_service", config->blob_service(), problems);
  runtime::CheckService("manifest_service", config->manifest_service(), problems);
  if (const std::string& directory = config->blob_files_directory(); !directory.empty() && directory.front() != '/') {
    problems->Add("blob_files_directory", absl::StrCat("must be an absolute path, not ", QuotedInput(directory)));
  }
  if (authenticated) runtime::CheckService("auth_service", config->auth_service(), problems);
  if (config->has_upstream_service()) {
    runtime::CheckService("upstream_service", config->upstream_service(), problems);
    if (config->upstreams_file().empty()) {
      problems->Add("upstreams_file", "is required with upstream_service");
    } else {
      problems->AddLines("upstreams_file", upstream::CheckUpstreamsFile(config->upstreams_file()));
    }
  } else if (!config->upstreams_file().empty()) {
    problems->Add("upstreams_file", "needs upstream_service");
  }
}

absl::StatusOr<std::unique_ptr<runtime::RunningService>> StartGateway(const config::v1::GatewayConfig& config,
                                                                      const runtime::ServiceContext& context) {
  return GatewayProcess::Start(config, context);
}

}  // namespace entrepot::gateway
