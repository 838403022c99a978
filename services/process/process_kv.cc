#include "services/process/process_kv.h"

#include "absl/strings/str_cat.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::process {

absl::StatusOr<std::unique_ptr<kv::KvStack>> OpenProcessKv(const std::string& data_directory,
                                                           const runtime::ServiceContext& context) {
  ASSIGN_OR_RETURN(std::unique_ptr<kv::KvStack> kv,
                   kv::KvStack::Open(absl::StrCat(data_directory, "/kv"), context.registry, runtime::LogLibraryLine));
  context.add_collectable(kv->engine_metrics());
  return kv;
}

runtime::HealthCheck KvWriteCheck(const kv::KvStack* kv) {
  return {.name = "metadata store writes", .without = runtime::Readiness::kPulls, .check = [kv] {
            return kv->CheckWritable();
          }};
}

}  // namespace entrepot::process
