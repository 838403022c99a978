#include "services/outbound/curl_request.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::outbound {
namespace {

using testing::ElementsAre;

std::vector<std::string> LinesOf(const HeaderLines& headers) {
  std::vector<std::string> lines;
  for (const curl_slist* line = headers.get(); line != nullptr; line = line->next) lines.emplace_back(line->data);
  return lines;
}

TEST(HeaderLinesTest, AreInTheSyntaxOfLibcurl) {
  HeaderLines headers;
  EXPECT_THAT(LinesOf(headers), ElementsAre());
  ASSERT_OK(headers.Add("Accept", "text/plain"));
  ASSERT_OK(headers.Add("X-Empty", ""));
  ASSERT_OK(headers.Omit("Expect"));
  EXPECT_THAT(LinesOf(headers), ElementsAre("Accept: text/plain", "X-Empty;", "Expect:"));
}

TEST(HeaderLinesTest, OmitTheFieldsOfABodyThatTheRequestDoesNotName) {
  HeaderLines unnamed;
  ASSERT_OK(unnamed.OmitUnnamedOfBody({{"Accept", "text/plain"}}));
  EXPECT_THAT(LinesOf(unnamed), ElementsAre("Expect:", "Content-Type:"));
  HeaderLines named;
  ASSERT_OK(named.OmitUnnamedOfBody({{"content-type", "text/plain"}}));
  EXPECT_THAT(LinesOf(named), ElementsAre("Expect:"));
}

TEST(HeaderLinesTest, RefuseTextThatWouldAddALine) {
  HeaderLines headers;
  EXPECT_THAT(headers.Add("A", "b\r\nC: d"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(headers.Add("A\nC", "d"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(headers.Add("A:", "d"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(headers.Add("", "d"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(LinesOf(headers), ElementsAre());
}

TEST(CurlRequestTest, ShowsUrlsWithoutTheirQuery) {
  EXPECT_EQ(UrlForMessage("https://a.example/b?signature=c"), "https://a.example/b");
  EXPECT_EQ(UrlForMessage("https://a.example/b"), "https://a.example/b");
}

TEST(CurlRequestTest, NeverTurnsATimeIntoTheDefault) {
  EXPECT_EQ(CurlMilliseconds(absl::Seconds(2)), 2000);
  EXPECT_EQ(CurlMilliseconds(absl::ZeroDuration()), 1);
  EXPECT_EQ(CurlMilliseconds(absl::Seconds(-2)), 1);
}

TEST(AddressCheckTest, AllowsEverythingWithoutARule) {
  const std::function<absl::Status(absl::string_view)> none;
  AddressCheck check{.check = none};
  EXPECT_TRUE(check.Allows("127.0.0.1"));
}

TEST(AddressCheckTest, OpensNoSocketForARefusedAddress) {
  const std::function<absl::Status(absl::string_view)> only_loopback = [](absl::string_view ip_address) {
    return ip_address == "127.0.0.1" ? absl::OkStatus() : absl::PermissionDeniedError(ip_address);
  };
  AddressCheck check{.check = only_loopback};
  curl_sockaddr address{};
  address.family = AF_INET;
  address.socktype = SOCK_STREAM;
  address.addrlen = sizeof(sockaddr_in);
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ASSERT_EQ(inet_pton(AF_INET, "10.0.0.1", &ipv4.sin_addr), 1);
  std::memcpy(&address.addr, &ipv4, sizeof(ipv4));
  EXPECT_EQ(AddressCheck::OpenSocket(&check, CURLSOCKTYPE_IPCXN, &address), CURL_SOCKET_BAD);
  EXPECT_THAT(check.refused, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(check.refused.message(), "10.0.0.1");

  ASSERT_EQ(inet_pton(AF_INET, "127.0.0.1", &ipv4.sin_addr), 1);
  std::memcpy(&address.addr, &ipv4, sizeof(ipv4));
  const curl_socket_t opened = AddressCheck::OpenSocket(&check, CURLSOCKTYPE_IPCXN, &address);
  EXPECT_GE(opened, 0);
  close(opened);
}

}  // namespace
}  // namespace entrepot::outbound
