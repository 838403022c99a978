#include "services/runtime/config/descriptor_checks.h"

#include <sys/resource.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace entrepot::runtime {
namespace {

// The operator port's 64 connections, listeners, event queues, logs, certificates, connections between processes.
constexpr uint64_t kAlwaysKeptBack = 128;
constexpr uint64_t kPerConnection = 2;
constexpr uint64_t kConnectionsMin = 16;

}  // namespace

uint64_t DescriptorLimit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : UINT64_MAX;
}

void FitToDescriptors(absl::string_view field, uint64_t kept_back, uint64_t descriptors, config::v1::Limits* limits,
                      ConfigProblems* problems) {
  const uint64_t others = kept_back + kAlwaysKeptBack;
  const uint64_t fit = descriptors > others ? (descriptors - others) / kPerConnection : 0;
  if (limits->connections_max() <= fit) return;
  const std::string shortage =
      absl::StrCat(limits->connections_max(), " connections need ", limits->connections_max() * kPerConnection + others,
                   " file descriptors, and the process may open ", descriptors);
  const absl::string_view remedy = "raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)";
  const std::string name = absl::StrCat(field, ".connections_max");
  if (fit < std::min<uint64_t>(kConnectionsMin, limits->connections_max())) {
    problems->Add(name, absl::StrCat(shortage, ": ", remedy));
    return;
  }
  problems->Warn(name, absl::StrCat(shortage, ", so it is lowered to ", fit, ": ", remedy));
  limits->set_connections_max(static_cast<uint32_t>(fit));
  limits->set_connections_per_address_max(
      std::min(limits->connections_per_address_max(), std::max(1u, limits->connections_max() / 4)));
}

}  // namespace entrepot::runtime
