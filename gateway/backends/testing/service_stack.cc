#include "gateway/backends/testing/service_stack.h"

#include "prometheus/registry.h"
#include "services/runtime/config/config_defaults.h"

namespace entrepot::gateway {

ServiceStack::ServiceStack() {
  const auto registry = std::make_shared<prometheus::Registry>();
  blob::BlobStackOptions options;
  options.directory = directory_.path() + "/blobs";
  runtime::FillDefaults(&options.uploads);
  blobs_ = blob::BlobStack::Open(options, {&kv_, &clock_, registry}).value();
  manifest::RegistryCatalog::Options catalog_options;
  catalog_options.registry = registry;
  catalog_ = manifest::RegistryCatalog::Create(&kv_, &clock_, catalog_options).value();
}

}  // namespace entrepot::gateway
