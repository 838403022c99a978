#include "services/blob/blob_process.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/blob/blob_service.h"
#include "services/blob/blob_stack.h"
#include "services/core/time/system_clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/threads/executor.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

using config::v1::BlobServiceConfig;

// Most of their time they wait for the disk.
constexpr size_t kThreads = 16;

class RunningBlobService : public runtime::RunningService {
 public:
  static absl::StatusOr<std::unique_ptr<runtime::RunningService>> Start(const BlobServiceConfig& config,
                                                                        const runtime::ServiceContext& context) {
    auto service = std::make_unique<RunningBlobService>();
    RETURN_IF_ERROR(service->Open(config, context));
    return service;
  }

  absl::Status CheckReady() override {
    RETURN_IF_ERROR(kv_->Health());
    return stack_->CheckReady();
  }
  std::vector<std::pair<std::string, std::string>> Addresses() const override { return {{"grpc", server_->address()}}; }
  void Drain(absl::Time deadline) override {
    stack_->object_access().StopVerifying();
    server_->Shutdown(deadline);
  }

 private:
  absl::Status Open(const BlobServiceConfig& config, const runtime::ServiceContext& context) {
    ASSIGN_OR_RETURN(kv_, kv::KvStack::Open(absl::StrCat(config.data_directory(), "/kv"), context.registry,
                                            runtime::LogLibraryLine));
    context.add_collectable(kv_->engine_metrics());
    BlobStackOptions options;
    options.directory = absl::StrCat(config.data_directory(), "/blobs");
    options.uploads = config.uploads();
    options.object_durability = kv::Durability::kSynced;
    options.snapshot_kv = [this](const std::string& directory) { return kv_->Snapshot(directory); };
    ASSIGN_OR_RETURN(stack_,
                     BlobStack::Open(options, {.kv = kv_->engine(), .clock = &clock_, .registry = context.registry}));
    executor_ = std::make_unique<runtime::Executor>(kThreads);
    service_ = std::make_unique<BlobService>(stack_.get(), executor_.get());
    ASSIGN_OR_RETURN(server_, runtime::GrpcServer::Start(config.grpc(), {service_.get()}, context.registry));
    return absl::OkStatus();
  }

  // In the order in which each depends on those before.
  SystemClock clock_;
  std::unique_ptr<kv::KvStack> kv_;
  std::unique_ptr<BlobStack> stack_;
  std::unique_ptr<runtime::Executor> executor_;
  std::unique_ptr<BlobService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
};

void FillAndCheck(BlobServiceConfig* config, runtime::ConfigProblems* problems) {
  runtime::FillDefaults(/*default_port=*/0, config->mutable_grpc());
  runtime::FillDefaults(config->mutable_uploads());
  runtime::CheckGrpcEndpoint("grpc", config->grpc(), problems);
  runtime::CheckUploads("uploads", config->uploads(), problems);
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
}

}  // namespace

runtime::ServiceDefinition<BlobServiceConfig> BlobProcess() {
  runtime::ServiceDefinition<BlobServiceConfig> definition;
  definition.name = "entrepot-blob";
  definition.fill_and_check = FillAndCheck;
  definition.start = RunningBlobService::Start;
  return definition;
}

}  // namespace entrepot::blob
