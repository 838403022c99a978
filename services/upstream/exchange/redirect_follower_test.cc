#include "services/upstream/exchange/redirect_follower.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/outbound/testing/scripted_hop.h"
#include "services/status/status_matchers.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

using outbound::HeaderOf;
using outbound::ScriptedHop;
using outbound::ScriptedResponse;
using testing::ElementsAre;
using testing::HasSubstr;

class RedirectFollowerTest : public testing::Test {
 protected:
  void Redirect(const std::string& from, const std::string& to, int status = 307) {
    responses_[from] = {.status = status, .fields = {{"location", to}}, .body = "moved"};
  }
  absl::StatusOr<Answer> Send(const std::string& url, const std::string& method = "GET") {
    return follower_.Send({.method = method, .url = url, .headers = {{"Accept", "*/*"}}},
                          [](const outbound::Url& to, bool left_origin) -> absl::StatusOr<std::string> {
                            return left_origin ? "" : absl::StrCat("Bearer for ", to.host);
                          },
                          {.on_head =
                               [&](const outbound::HopHead& head) {
                                 heads_.push_back(head.status);
                                 return sink_error_;
                               },
                           .on_bytes =
                               [&](absl::string_view bytes) {
                                 absl::StrAppend(&body_, bytes);
                                 return absl::OkStatus();
                               }});
  }
  static std::vector<std::string> Urls(const ScriptedHop& hop) {
    std::vector<std::string> urls;
    for (const auto& request : hop.requests()) urls.push_back(request.url);
    return urls;
  }
  std::unique_ptr<ScriptedHop> MakeHop() {
    return std::make_unique<ScriptedHop>([&](const outbound::HopRequest& request) {
      const auto found = responses_.find(request.url);
      return found != responses_.end() ? found->second : ScriptedResponse{.body = "content"};
    });
  }

  std::map<std::string, ScriptedResponse> responses_;
  std::vector<int> heads_;
  std::string body_;
  absl::Status sink_error_;
  std::unique_ptr<ScriptedHop> own_hop_ = MakeHop();
  std::unique_ptr<ScriptedHop> other_hop_ = MakeHop();
  ScriptedHop& own_ = *own_hop_;
  ScriptedHop& other_ = *other_hop_;
  RedirectFollower follower_{"r.example", "https://r.example:443", std::move(own_hop_), std::move(other_hop_)};
};

TEST_F(RedirectFollowerTest, GivesTheSinkTheLastResponseOnly) {
  Redirect("https://r.example/a", "https://cdn.example/b?signature=c");
  const auto answer = Send("https://r.example/a");
  ASSERT_OK(answer);
  EXPECT_EQ(answer->url, "https://cdn.example/b?signature=c");
  EXPECT_TRUE(answer->left_origin);
  EXPECT_THAT(heads_, ElementsAre(200));
  EXPECT_EQ(body_, "content");
}

TEST_F(RedirectFollowerTest, SendsNoAuthorizationToAnotherHostNorBackFromIt) {
  Redirect("https://r.example/a", "https://cdn.example/b");
  Redirect("https://cdn.example/b", "https://r.example/c");
  ASSERT_OK(Send("https://r.example/a"));
  ASSERT_THAT(Urls(own_), ElementsAre("https://r.example/a", "https://r.example/c"));
  EXPECT_EQ(HeaderOf(own_.requests()[0], "Authorization"), "Bearer for r.example");
  EXPECT_EQ(HeaderOf(own_.requests()[1], "Authorization"), "");
  EXPECT_EQ(HeaderOf(other_.requests()[0], "Authorization"), "");
  EXPECT_EQ(HeaderOf(other_.requests()[0], "Accept"), "*/*");
}

TEST_F(RedirectFollowerTest, TakesAnotherPortForAnotherHost) {
  Redirect("https://r.example/a", "https://r.example:444/b");
  ASSERT_OK(Send("https://r.example/a"));
  ASSERT_THAT(Urls(other_), ElementsAre("https://r.example:444/b"));
  EXPECT_EQ(HeaderOf(other_.requests()[0], "Authorization"), "");
}

TEST_F(RedirectFollowerTest, AuthorisesRedirectsOnTheSameHost) {
  Redirect("https://r.example/a", "/b");
  ASSERT_OK(Send("https://r.example/a"));
  EXPECT_EQ(HeaderOf(own_.requests()[1], "Authorization"), "Bearer for r.example");
}

TEST_F(RedirectFollowerTest, FollowsFiveRedirects) {
  for (int i = 0; i < 5; ++i) Redirect(absl::StrCat("https://r.example/", i), absl::StrCat("/", i + 1));
  EXPECT_OK(Send("https://r.example/0"));
  Redirect("https://r.example/5", "/6");
  const auto answer = Send("https://r.example/0");
  EXPECT_EQ(FailureOf(answer.status()), UpstreamFailure::kInvalid);
}

TEST_F(RedirectFollowerTest, EndsALoop) {
  Redirect("https://r.example/a", "https://r.example/a");
  EXPECT_EQ(FailureOf(Send("https://r.example/a").status()), UpstreamFailure::kInvalid);
  EXPECT_EQ(own_.requests().size(), 6u);
}

TEST_F(RedirectFollowerTest, RefusesHttpAfterHttpsUsersAndOtherSchemes) {
  for (const char* to : {"http://r.example/b", "https://user@r.example/b", "https://a:b@cdn.example/",
                         "file:///etc/passwd", "gopher://r.example/", "https://"}) {
    Redirect("https://r.example/a", to);
    EXPECT_EQ(FailureOf(Send("https://r.example/a").status()), UpstreamFailure::kInvalid) << to;
  }
  EXPECT_EQ(own_.requests().size(), 6u);
  EXPECT_EQ(other_.requests().size(), 0u);
}

TEST_F(RedirectFollowerTest, DoesNotFollowARedirectOfAPost) {
  Redirect("https://r.example/a", "https://cdn.example/b");
  const auto answer = Send("https://r.example/a", "POST");
  ASSERT_OK(answer);
  EXPECT_EQ(answer->head.status, 307);
  EXPECT_EQ(other_.requests().size(), 0u);
}

TEST_F(RedirectFollowerTest, KeepsTheBeginningOfARefusal) {
  responses_["https://r.example/a"] = {.status = 404, .body = "no such thing"};
  responses_["https://r.example/b"] = {.status = 404, .body = std::string(1'000'000, 'x')};
  EXPECT_EQ(Send("https://r.example/a")->error_body, "no such thing");
  const auto long_answer = Send("https://r.example/b");
  ASSERT_OK(long_answer);
  EXPECT_EQ(long_answer->head.status, 404);
  EXPECT_LE(long_answer->error_body.size(), RedirectFollower::kErrorBodyBytesMax);
  EXPECT_THAT(heads_, testing::IsEmpty());
}

TEST_F(RedirectFollowerTest, ReturnsErrorsOfTheSinkAsTheyAre) {
  sink_error_ = absl::ResourceExhaustedError("full");
  EXPECT_EQ(Send("https://r.example/a").status(), sink_error_);
}

TEST_F(RedirectFollowerTest, TakesABrokenConnectionForUnavailable) {
  responses_["https://r.example/a"] = {.body = "half", .failure = absl::UnavailableError("broke off")};
  const absl::Status status = Send("https://r.example/a").status();
  EXPECT_EQ(FailureOf(status), UpstreamFailure::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("r.example: broke off"));
}

TEST_F(RedirectFollowerTest, IsCancelledByStop) {
  follower_.Stop();
  EXPECT_THAT(Send("https://r.example/a"), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(Send("https://cdn.example/a"), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace entrepot::upstream
