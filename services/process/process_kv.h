#ifndef ENTREPOT_SERVICES_PROCESS_PROCESS_KV_H_
#define ENTREPOT_SERVICES_PROCESS_PROCESS_KV_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"
#include "services/kv/stack/kv_stack.h"
#include "services/runtime/config/config_problems.h"
#include "services/runtime/health_checks.h"
#include "services/runtime/service_main.h"

namespace entrepot::process {

// Opens the KV of a process: in PostgreSQL if `records` say so, else in `kv` below its data directory. The engine's
// warnings and errors go to the process's log, its metrics to /metrics. Errors are those of KvStack::Open.
absl::StatusOr<std::unique_ptr<kv::KvStack>> OpenProcessKv(const config::v1::RecordStore& records,
                                                           const std::string& data_directory,
                                                           const runtime::ServiceContext& context);

// Fills in and checks the field `records` of the configuration.
void FillAndCheckRecords(config::v1::RecordStore* records, runtime::ConfigProblems* problems);

// For RunningService::Checks(): whether new records can be written. `kv` must outlive the check.
runtime::HealthCheck KvWriteCheck(const kv::KvStack* kv);

}  // namespace entrepot::process

#endif  // ENTREPOT_SERVICES_PROCESS_PROCESS_KV_H_
