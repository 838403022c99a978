// A process for service_main_test.cc. It serves nothing; its "data_directory" selects its behaviour.
#include <cstdio>
#include <memory>

#include "absl/time/clock.h"
#include "entrepot/config/v1/standalone.pb.h"
#include "prometheus/gauge.h"
#include "services/runtime/service_main.h"

namespace entrepot::runtime {
namespace {

class TestService : public RunningService {
 public:
  explicit TestService(std::string behaviour) : behaviour_(std::move(behaviour)) {}

  std::vector<HealthCheck> Checks() override {
    return {{.name = "disk",
             .without = Readiness::kNone,
             .check =
                 [this] {
                   if (behaviour_ == "hang") absl::SleepFor(absl::InfiniteDuration());
                   return behaviour_ == "never-ready" ? absl::UnavailableError("not ready in this test")
                                                      : absl::OkStatus();
                 }},
            {.name = "writes", .without = Readiness::kPulls, .check = [this] {
               return behaviour_ == "read-only" ? absl::UnavailableError("read-only in this test") : absl::OkStatus();
             }}};
  }

  std::vector<std::pair<std::string, std::string>> Addresses() const override {
    return {{"listen", "http://127.0.0.1:5000"}};
  }

  void AnnounceDrain() override {
    delay_ = std::make_unique<Deadline>(Deadline::After(absl::Seconds(1)));
    if (behaviour_ == "tell-drain") std::fputs("announced\n", stderr);
  }

  void Drain(Deadline deadline) override {
    if (behaviour_ == "tell-drain" && delay_ != nullptr && delay_->passed()) {
      std::fputs("drained after the delay\n", stderr);
    }
    if (behaviour_ == "drain-until-deadline") absl::SleepFor(deadline.Left());
    if (behaviour_ == "drain-forever") absl::SleepFor(absl::InfiniteDuration());
  }

 private:
  const std::string behaviour_;
  std::unique_ptr<Deadline> delay_;  // Set by AnnounceDrain().
};

int Main(int argc, char** argv) {
  ServiceDefinition<config::v1::StandaloneConfig> definition;
  definition.name = "entrepot-test";
  definition.fill_and_check = [](config::v1::StandaloneConfig* config, ConfigProblems* problems) {
    if (config->data_directory().empty()) problems->Add("data_directory", "is required");
  };
  definition.start = [](const config::v1::StandaloneConfig& config,
                        const ServiceContext& context) -> absl::StatusOr<std::unique_ptr<RunningService>> {
    if (config.data_directory() == "fail-to-start") return absl::UnavailableError("no disk");
    prometheus::BuildGauge().Name("test_gauge").Register(*context.registry).Add({}).Set(7);
    return std::make_unique<TestService>(config.data_directory());
  };
  return ServiceMain(argc, argv, definition);
}

}  // namespace
}  // namespace entrepot::runtime

int main(int argc, char** argv) { return entrepot::runtime::Main(argc, argv); }
