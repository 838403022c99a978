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

// The number of connections to allow; adds a warning or a problem if it is not the configured one.
uint32_t Fitting(absl::string_view field, uint64_t kept_back, uint64_t descriptors, uint32_t connections_max,
                 ConfigProblems* problems) {
  const uint64_t others = kept_back + kAlwaysKeptBack;
  const uint64_t fit = descriptors > others ? (descriptors - others) / kPerConnection : 0;
  if (connections_max <= fit) return connections_max;
  const std::string shortage =
      absl::StrCat(connections_max, " connections need ", connections_max * kPerConnection + others,
                   " file descriptors, and the process may open ", descriptors);
  const absl::string_view remedy = "raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)";
  const std::string name = absl::StrCat(field, ".connections_max");
  if (fit < std::min<uint64_t>(kConnectionsMin, connections_max)) {
    problems->Add(name, absl::StrCat(shortage, ": ", remedy));
    return connections_max;
  }
  problems->Warn(name, absl::StrCat(shortage, ", so it is lowered to ", fit, ": ", remedy));
  return static_cast<uint32_t>(fit);
}

}  // namespace

uint64_t DescriptorLimit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : UINT64_MAX;
}

void FitToDescriptors(absl::string_view field, uint64_t kept_back, uint64_t descriptors, config::v1::Limits* limits,
                      ConfigProblems* problems) {
  const uint32_t fitting = Fitting(field, kept_back, descriptors, limits->connections_max(), problems);
  if (fitting == limits->connections_max()) return;
  limits->set_connections_max(fitting);
  limits->set_connections_per_address_max(std::min(limits->connections_per_address_max(), std::max(1u, fitting / 4)));
}

void FitToDescriptors(absl::string_view field, uint64_t kept_back, uint64_t descriptors, config::v1::Endpoint* endpoint,
                      ConfigProblems* problems) {
  endpoint->set_connections_max(Fitting(field, kept_back, descriptors, endpoint->connections_max(), problems));
}

}  // namespace entrepot::runtime
