#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_AUTHORITY_STACK_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_AUTHORITY_STACK_H_

#include <memory>

#include "prometheus/registry.h"
#include "services/auth/authority.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"

namespace entrepot::gateway {

// For tests: the auth service's class over a KV in memory, with two accounts: "ci" (password "battery-staple") may pull
// and push driftwood/**, "admin" ("correct-horse") may do everything. Every caller may pull public/**.
class AuthorityStack {
 public:
  AuthorityStack();

  auth::Authority* authority() { return authority_.get(); }

 private:
  kv::TemporaryDirectory directory_;
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<auth::Authority> authority_;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_AUTHORITY_STACK_H_
