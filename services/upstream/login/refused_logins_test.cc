#include "services/upstream/login/refused_logins.h"

#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"

namespace entrepot::upstream {
namespace {

const Credentials kCredentials = {.username = "ci", .password = "wrong"};

TEST(RefusedLoginsTest, HoldsARefusalForAMinute) {
  FakeClock clock;
  RefusedLogins refused(&clock);
  refused.Add(kCredentials, "");
  EXPECT_TRUE(refused.Contains(kCredentials, "repository:a:pull"));
  clock.Advance(absl::Seconds(59));
  EXPECT_TRUE(refused.Contains(kCredentials, "repository:a:pull"));
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(refused.Contains(kCredentials, "repository:a:pull"));
}

TEST(RefusedLoginsTest, ForgetsRefusalsIfTheClockIsSetBack) {
  FakeClock clock;
  RefusedLogins refused(&clock);
  refused.Add(kCredentials, "");
  clock.Advance(-absl::Hours(1));
  EXPECT_FALSE(refused.Contains(kCredentials, "a"));
}

TEST(RefusedLoginsTest, TellsScopesApart) {
  FakeClock clock;
  RefusedLogins refused(&clock);
  refused.Add(kCredentials, "a");
  EXPECT_TRUE(refused.Contains(kCredentials, "a"));
  EXPECT_FALSE(refused.Contains(kCredentials, "b"));
}

TEST(RefusedLoginsTest, LetsAnotherPasswordPass) {
  FakeClock clock;
  RefusedLogins refused(&clock);
  refused.Add(kCredentials, "");
  EXPECT_FALSE(refused.Contains({.username = "ci", .password = "right"}, "a"));
  EXPECT_FALSE(refused.Contains({.username = "c", .password = "iwrong"}, "a"));
}

}  // namespace
}  // namespace entrepot::upstream
