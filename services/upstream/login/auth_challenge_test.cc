#include "services/upstream/login/auth_challenge.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(AuthChallengeTest, ParsesOneChallenge) {
  EXPECT_THAT(
      ParseAuthChallenges(
          {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="a:b:c,d")"}),
      ElementsAre(AuthChallenge{
          "bearer",
          {{"realm", "https://auth.docker.io/token"}, {"service", "registry.docker.io"}, {"scope", "a:b:c,d"}}}));
}

TEST(AuthChallengeTest, ParsesSeveralChallengesInOneFieldAndInSeveral) {
  const auto challenges = ParseAuthChallenges(
      {R"(Negotiate, Basic realm="a, Bearer x", BEARER realm="b",error="invalid_token")", R"(Basic realm="c")"});
  EXPECT_THAT(challenges,
              ElementsAre(AuthChallenge{"negotiate", {}}, AuthChallenge{"basic", {{"realm", "a, Bearer x"}}},
                          AuthChallenge{"bearer", {{"realm", "b"}, {"error", "invalid_token"}}},
                          AuthChallenge{"basic", {{"realm", "c"}}}));
}

TEST(AuthChallengeTest, AcceptsOddSpaceCaseAndQuotes) {
  EXPECT_THAT(ParseAuthChallenges({" ,, Bearer\tREALM = \"a\\\"b\\\\c\" ,\t, Service=d"}),
              ElementsAre(AuthChallenge{"bearer", {{"realm", "a\"b\\c"}, {"service", "d"}}}));
  EXPECT_THAT(ParseAuthChallenges({"Bearer realm=https://a.example/token?x=y,service=d"}),
              ElementsAre(AuthChallenge{"bearer", {{"realm", "https://a.example/token?x=y"}, {"service", "d"}}}));
}

TEST(AuthChallengeTest, TakesTheFirstOfEqualParameters) {
  EXPECT_THAT(ParseAuthChallenges({R"(Bearer realm="a",realm="b")"}),
              ElementsAre(AuthChallenge{"bearer", {{"realm", "a"}}}));
}

TEST(AuthChallengeTest, KeepsWhatIsBeforeAFault) {
  EXPECT_THAT(ParseAuthChallenges({R"(Bearer realm="a",service="never ends)"}),
              ElementsAre(AuthChallenge{"bearer", {{"realm", "a"}}}));
  EXPECT_THAT(ParseAuthChallenges({R"(Bearer realm="a",service="ends in a backslash\)"}),
              ElementsAre(AuthChallenge{"bearer", {{"realm", "a"}}}));
  EXPECT_THAT(ParseAuthChallenges({"", "\"", "=", " , "}), IsEmpty());
}

TEST(AuthChallengeTest, IgnoresParametersWithoutAScheme) {
  EXPECT_THAT(ParseAuthChallenges({"Basic", R"(realm="https://evil.example")"}),
              ElementsAre(AuthChallenge{"basic", {}}));
}

TEST(AuthChallengeTest, IsBounded) {
  EXPECT_THAT(ParseAuthChallenges({absl::StrCat("Bearer realm=\"", std::string(kChallengeFieldBytesMax, 'a'), "\"")}),
              IsEmpty());
  std::string many;
  std::string parameters = "Bearer a=b";
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&many, "Basic,");
    absl::StrAppend(&parameters, ",p", i, "=b");
  }
  EXPECT_THAT(ParseAuthChallenges({many}), SizeIs(kChallengesMax));
  EXPECT_THAT(ParseAuthChallenges({parameters}).front().parameters, SizeIs(kChallengeParametersMax));
}

TEST(AuthChallengeTest, PrefersBearerToBasic) {
  const AuthChallenge basic{"basic", {{"realm", "a"}}};
  const AuthChallenge bearer{"bearer", {{"realm", "b"}}};
  EXPECT_EQ(ChooseChallenge({basic, bearer}), bearer);
  EXPECT_EQ(ChooseChallenge({{"bearer", {}}, basic}), basic);
  EXPECT_EQ(ChooseChallenge({{"negotiate", {}}}), std::nullopt);
}

}  // namespace
}  // namespace entrepot::upstream
