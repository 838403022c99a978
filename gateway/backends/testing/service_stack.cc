#include "gateway/backends/testing/service_stack.h"

#include "prometheus/registry.h"
#include "services/runtime/config/config_defaults.h"

namespace entrepot::gateway {

ServiceStack::ServiceStack(bool cold) {
  kv::KvEngine* const kv = cold ? static_cast<kv::KvEngine*>(&cold_kv_) : &kv_;
  const auto registry = std::make_shared<prometheus::Registry>();
  blob::BlobStackOptions options;
  options.directory = directory_.path() + "/blobs";
  runtime::FillDefaults(&options.uploads);
  blobs_ = blob::BlobStack::Open(options, {kv, &clock_, registry, &system_calls_}).value();
  manifest::RegistryCatalog::Options catalog_options;
  catalog_options.registry = registry;
  catalog_ = manifest::RegistryCatalog::Create(kv, &clock_, catalog_options).value();
}

}  // namespace entrepot::gateway
