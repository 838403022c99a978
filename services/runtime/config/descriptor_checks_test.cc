#include "services/runtime/config/descriptor_checks.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/runtime/config/config_defaults.h"

namespace entrepot::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Fitted {
  uint32_t connections_max;
  uint32_t connections_per_address_max;
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

Fitted Fit(uint32_t connections, uint64_t kept_back, uint64_t descriptors) {
  config::v1::Limits limits;
  limits.set_connections_max(connections);
  FillDefaults(&limits);
  ConfigProblems problems;
  FitToDescriptors("limits", kept_back, descriptors, &limits, &problems);
  return {limits.connections_max(), limits.connections_per_address_max(), problems.lines(), problems.warnings()};
}

TEST(FitToDescriptorsTest, LeavesLimitsThatFit) {
  const Fitted fitted = Fit(4096, 512, 8832);
  EXPECT_EQ(fitted.connections_max, 4096u);
  EXPECT_EQ(fitted.connections_per_address_max, 1024u);
  EXPECT_THAT(fitted.problems, IsEmpty());
  EXPECT_THAT(fitted.warnings, IsEmpty());
}

TEST(FitToDescriptorsTest, LowersConnectionsToWhatFits) {
  EXPECT_EQ(Fit(4096, 512, 8831).connections_max, 4095u);
  const Fitted fitted = Fit(4096, 512, 1024);
  EXPECT_EQ(fitted.connections_max, 192u);
  EXPECT_EQ(fitted.connections_per_address_max, 48u);
  EXPECT_THAT(fitted.problems, IsEmpty());
  EXPECT_THAT(
      fitted.warnings,
      ElementsAre("limits.connections_max: 4096 connections need 8832 file descriptors, and the process may open "
                  "1024, so it is lowered to 192: raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)"));
}

TEST(FitToDescriptorsTest, RefusesWhatCannotWork) {
  const Fitted fitted = Fit(4096, 512, 640);
  EXPECT_THAT(
      fitted.problems,
      ElementsAre("limits.connections_max: 4096 connections need 8832 file descriptors, and the process may open "
                  "640: raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)"));
  EXPECT_THAT(Fit(4096, 512, 671).problems, ElementsAre(::testing::_));
  EXPECT_THAT(Fit(4096, 512, 672).problems, IsEmpty());
  EXPECT_THAT(Fit(2, 512, 644).problems, IsEmpty());
}

TEST(FitToDescriptorsTest, LowersConnectionsOfGrpcToWhatFits) {
  config::v1::Endpoint endpoint;
  FillGrpcDefaults(&endpoint);
  ConfigProblems problems;
  FitToDescriptors("grpc", 512, 2688, &endpoint, &problems);
  EXPECT_EQ(endpoint.connections_max(), 1024u);
  EXPECT_THAT(problems.warnings(), IsEmpty());
  FitToDescriptors("grpc", 512, 1024, &endpoint, &problems);
  EXPECT_EQ(endpoint.connections_max(), 192u);
  EXPECT_THAT(problems.warnings(), ElementsAre(::testing::StartsWith("grpc.connections_max: 1024 connections need")));
}

TEST(FitToDescriptorsTest, HasNoLimitOnAnUnlimitedNumber) {
  EXPECT_THAT(Fit(UINT32_MAX, 512, UINT64_MAX).warnings, IsEmpty());
}

}  // namespace
}  // namespace entrepot::runtime
