#include "gateway/api/content/list_turns.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/io_context.hpp"
#include "gateway/api/request/error_response.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

using Turn = absl::StatusOr<runtime::TurnQueue::Turn>;
using testing::HasSubstr;

class TestClient : public http::ClientConnection {
 public:
  bool IsReset() const override { return reset; }
  bool reset = false;
};

class ListTurnsTest : public testing::Test {
 protected:
  // A request for a list that stays under way.
  struct Listing {
    http::Request request;
    std::optional<Turn> turn;
  };

  Listing& List(const std::string& address, const TestClient* client = nullptr) {
    auto listing = std::make_unique<Listing>();
    listing->request.remote_address = *addresses_.emplace_back(std::make_unique<std::string>(address));
    listing->request.client = client;
    boost::asio::co_spawn(io_, Take(listing.get()), boost::asio::detached);
    Poll();
    return *listings_.emplace_back(std::move(listing));
  }
  boost::asio::awaitable<void> Take(Listing* listing) { listing->turn = co_await turns_.Take(listing->request); }
  void Poll() {
    io_.restart();
    io_.poll();
  }
  static http::Response Refusal(const Listing& listing) { return ErrorResponse(listing.turn->status(), "id"); }
  double Refused(const std::string& reason) {
    for (const auto& family : registry_->Collect()) {
      if (family.name != "entrepot_list_requests_refused_total") continue;
      for (const auto& metric : family.metric) {
        if (metric.label.front().value == reason) return metric.counter.value;
      }
    }
    return 0;
  }

  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  ListTurns turns_{8, registry_};
  boost::asio::io_context io_;
  std::vector<std::unique_ptr<std::string>> addresses_;
  std::vector<std::unique_ptr<Listing>> listings_;
};

TEST_F(ListTurnsTest, AnswersFourAtOnceAndLetsTheNextOnesWait) {
  for (int i = 0; i < 6; ++i) List("192.0.2.1");
  for (int i = 0; i < 4; ++i) EXPECT_OK(*listings_[i]->turn);
  EXPECT_FALSE(listings_[4]->turn.has_value());
  listings_[0]->turn.reset();
  Poll();
  EXPECT_OK(listings_[4]->turn.value());
}

TEST_F(ListTurnsTest, RefusesAClientThatWaitsTooOften) {
  for (int i = 0; i < 6; ++i) List("2001:db8::1");
  const http::Response response = Refusal(List("2001:db8::2"));
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(std::get<std::string>(response.body), HasSubstr("a quarter of limits.list_requests_waiting_max"));
  EXPECT_EQ(Refused("client"), 1);
  EXPECT_FALSE(List("192.0.2.1").turn.has_value()) << "another client waits";
}

TEST_F(ListTurnsTest, RefusesBeyondTheSum) {
  for (int i = 0; i < 12; ++i) List(absl::StrCat("192.0.2.", i));
  const http::Response response = Refusal(List("192.0.2.100"));
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(std::get<std::string>(response.body), HasSubstr("(limits.list_requests_waiting_max)"));
  EXPECT_EQ(Refused("sum"), 1);
}

TEST_F(ListTurnsTest, DropsARequestWhoseClientIsGone) {
  TestClient client;
  for (int i = 0; i < 4; ++i) List("192.0.2.1");
  Listing& waits = List("192.0.2.1", &client);
  Listing& next = List("192.0.2.1");
  client.reset = true;
  listings_[0]->turn.reset();
  Poll();
  EXPECT_EQ(Refusal(waits).status, 499);
  EXPECT_EQ(Refused("gone"), 1);
  EXPECT_OK(next.turn.value()) << "the turn passes on";
}

}  // namespace
}  // namespace entrepot::gateway::api
