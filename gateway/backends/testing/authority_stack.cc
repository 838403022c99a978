#include "gateway/backends/testing/authority_stack.h"

#include <fstream>
#include <string>

#include "services/runtime/config/config_defaults.h"

namespace entrepot::gateway {
namespace {

constexpr char kAccounts[] =
    "admin:$2b$04$hcKCWhaodQ8vx8rzbjuaGuSnGYpQVFxSohKu7lLc8Ymq2U3p5/TCW\n"
    "ci:$2b$04$sq6j.Q9vCUqwcVS/DKIfTuoU3S82nVTJUF0N4Z.Yub2aWmv521Tku\n";
constexpr char kPolicy[] = R"(
administrators: [admin]
rules:
  - name: ci publishes
    subjects: [ci]
    repositories: ["driftwood/**"]
    actions: [pull, push]
  - name: all may read what is public
    subjects: [anyone]
    repositories: ["public/**"]
    actions: [pull]
)";

}  // namespace

AuthorityStack::AuthorityStack() {
  config::v1::Authentication config;
  config.set_accounts_file(directory_.path() + "/accounts");
  config.set_policy_file(directory_.path() + "/policy.yaml");
  std::ofstream(config.accounts_file()) << kAccounts;
  std::ofstream(config.policy_file()) << kPolicy;
  runtime::FillDefaults(&config);
  authority_ = auth::Authority::Open(config, {&kv_, &clock_, metrics_}).value();
}

}  // namespace entrepot::gateway
