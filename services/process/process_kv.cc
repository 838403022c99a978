#include "services/process/process_kv.h"

#include "absl/strings/str_cat.h"
#include "services/core/files/private_files.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::process {
namespace {

// Earlier versions let other users read the records, and the backups, which contain them.
void ClosePrivateDirectories(const std::string& data_directory) {
  absl::Status status = MakeDirectoryPrivate(absl::StrCat(data_directory, "/kv"));
  status.Update(MakePrivate(absl::StrCat(data_directory, "/backups")));
  if (status.ok()) return;
  runtime::Log(runtime::LogLevel::kWarning, "other users of the machine may be able to read the records",
               {{"error", status.message()}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<kv::KvStack>> OpenProcessKv(const config::v1::RecordStore& records,
                                                           const std::string& data_directory,
                                                           const runtime::ServiceContext& context) {
  ASSIGN_OR_RETURN(std::unique_ptr<kv::KvStack> kv, kv::KvStack::Open(records, absl::StrCat(data_directory, "/kv"),
                                                                      context.registry, runtime::LogLibraryLine));
  if (!kv->shared()) ClosePrivateDirectories(data_directory);
  context.add_collectable(kv->engine_metrics());
  return kv;
}

void FillAndCheckRecords(config::v1::RecordStore* records, runtime::ConfigProblems* problems) {
  runtime::FillDefaults(records);
  runtime::CheckRecordStore("records", *records, problems);
}

runtime::HealthCheck KvWriteCheck(const kv::KvStack* kv) {
  return {.name = "metadata store writes", .without = runtime::Readiness::kPulls, .check = [kv] {
            return kv->CheckWritable();
          }};
}

}  // namespace entrepot::process
