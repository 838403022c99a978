#include "services/runtime/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <map>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/files/owned_fd.h"
#include "services/runtime/version.h"

namespace entrepot::runtime {
namespace {

std::map<std::string, double> Collect() {
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : ProcessMetrics("entrepot-test").Collect()) {
    const prometheus::ClientMetric& metric = family.metric.at(0);
    values[family.name] = family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  return values;
}

TEST(ProcessMetricsTest, HasAllMetrics) {
  std::vector<std::string> names;
  for (const auto& [name, value] : Collect()) names.push_back(name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("process_resident_memory_bytes", "process_cpu_seconds_total",
                                                   "process_open_fds", "process_max_fds", "process_start_time_seconds",
                                                   "process_threads", "entrepot_build_info"));
}

TEST(ProcessMetricsTest, CountsMemory) {
  const double before = Collect()["process_resident_memory_bytes"];
  EXPECT_GT(before, 1e6);
  const std::string touched(64 << 20, 'x');
  EXPECT_GE(Collect()["process_resident_memory_bytes"], before + (60 << 20)) << touched[0];
}

TEST(ProcessMetricsTest, CountsFileDescriptors) {
  const double before = Collect()["process_open_fds"];
  const OwnedFd one(::dup(0)), two(::dup(0));
  EXPECT_EQ(Collect()["process_open_fds"], before + 2);
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(Collect()["process_max_fds"], static_cast<double>(limit.rlim_cur));
}

TEST(ProcessMetricsTest, CountsThreads) {
  // A sanitizer starts a thread of its own together with the first one.
  std::thread([] {}).join();
  const double before = Collect()["process_threads"];
  std::promise<void> end;
  std::thread thread([&] { end.get_future().wait(); });
  EXPECT_EQ(Collect()["process_threads"], before + 1);
  end.set_value();
  thread.join();
}

TEST(ProcessMetricsTest, CountsCpuTime) {
  const double before = Collect()["process_cpu_seconds_total"];
  volatile double sink = 0;
  while (Collect()["process_cpu_seconds_total"] < before + 0.05) sink = sink + 1;
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const double used = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                      1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  EXPECT_NEAR(Collect()["process_cpu_seconds_total"], used, 0.5);
}

TEST(ProcessMetricsTest, StartedJustNow) {
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  const double start = Collect()["process_start_time_seconds"];
  EXPECT_LE(start, now + 2);
  EXPECT_GE(start, now - 300);
}

TEST(ProcessMetricsTest, HasVersionAndService) {
  for (const prometheus::MetricFamily& family : ProcessMetrics("entrepot-test").Collect()) {
    if (family.name != "entrepot_build_info") continue;
    EXPECT_THAT(family.metric.at(0).label,
                testing::ElementsAre(prometheus::ClientMetric::Label{"service", "entrepot-test"},
                                     prometheus::ClientMetric::Label{"version", std::string(kVersion)}));
    EXPECT_EQ(family.metric.at(0).gauge.value, 1);
  }
}

}  // namespace
}  // namespace entrepot::runtime
