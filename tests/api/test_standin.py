#!/usr/bin/env python3
"""Tests of the stand-in API itself: does it refuse what the vendor would?

Run by `make check` (TAP on standard output), or with any unittest runner.
"""

import hashlib
import http.client
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from importlib.machinery import SourceFileLoader

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "ivvy-standin")
KEY, SECRET = "test-key", "test-secret"


def load():
    sys.dont_write_bytecode = True
    loader = SourceFileLoader("standin", PROGRAM)
    spec = importlib.util.spec_from_loader("standin", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


standin = load()


class Running:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def request(self, path, body=b"", method="POST", headers=None, timeout=5):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def control(self, name, data=None):
        status, body, _ = self.request("/control/" + name, json.dumps(
            data if data is not None else {}).encode())
        assert status == 200, body
        return json.loads(body)

    def headers(self, uri, body, method="POST", date=None, secret=SECRET, key=KEY,
                content_type="application/json"):
        date = date or time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        md5 = hashlib.md5(body).hexdigest()
        text = standin.string_to_sign(method, md5, content_type, "", uri, "1.0",
                                      {"IVVY-Date": date})
        return {"Content-Type": content_type, "Content-MD5": md5, "IVVY-Date": date,
                "X-Api-Version": "1.0",
                "X-Api-Authorization": f"IWS {key}:{standin.sign(secret, text)}"}

    def api(self, call, params=None, change=None, **options):
        namespace, action = call.split(".")
        uri = f"/api/1.0/{namespace}?action={action}"
        body = json.dumps(params if params is not None else {}).encode()
        headers = self.headers(uri, body, **options)
        headers.update(change or {})
        headers = {k: v for k, v in headers.items() if v is not None}
        status, text, _ = self.request(uri, body, headers=headers)
        self.status = status
        return json.loads(text)


class StandinTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Running()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.control("reset")
        self.control("seed", {
            "groups": [{"id": 10, "groupName": "Guests"}, {"id": 11, "groupName": "VIP"}],
            "companies": [{"id": 5, "businessName": "Example Pty Ltd"}],
            "fields": [
                {"fieldId": k + 1, "fieldType": k, "displayName": f"field {k}",
                 "selectValues": ["red", "blue"] if k in (2, 3) else []}
                for k in range(9)],
            "contacts": [{"id": 6, "firstName": "Ann", "lastName": "Lee",
                          "email": "ann@example.org", "groups": [10], "status": 1}]})

    def control(self, *args):
        return self.server.control(*args)

    def api(self, *args, **options):
        return self.server.api(*args, **options)

    def contact(self, number=6):
        return next((c for c in self.control("dump")["contacts"]
                     if c["id"] == number), None)

    def refused(self, answer, code, specific=None):
        self.assertEqual(answer.get("errorCode"), code, answer)
        self.assertEqual(answer.get("specificCode"), specific, answer)

    def update(self, **params):
        return self.api("contact.addOrUpdateContact", {"id": 6, **params})

    # --- signature -----------------------------------------------------------

    def test_vector(self):
        text = standin.string_to_sign(
            "POST", "a09f600c77a6dbd947db24c61e8935ca", "application/json", "",
            "/api/1.0/test?action=ping", "1.0", {"IVVY-Date": "2012-04-03 22:23:24"})
        self.assertEqual(
            text, "posta09f600c77a6dbd947db24c61e8935caapplication/json"
            "/api/1.0/test?action=ping1.0ivvydate=2012-04-03 22:23:24")
        self.assertEqual(standin.sign("my secret key", "string to sign"),
                         "a993876ea1218921a1c8551923473da7b310dfae")

    def test_ping(self):
        answer = self.api("test.ping")
        self.assertRegex(answer["time"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")

    def test_date_with_utc(self):
        date = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        self.assertNotIn("errorCode", self.api("test.ping", date=date))

    def test_empty_body(self):
        uri = "/api/1.0/test?action=ping"
        status, _, _ = self.server.request(uri, b"", headers=self.server.headers(uri, b""))
        self.assertEqual(status, 200)

    def test_wrong_signatures(self):
        self.refused(self.api("test.ping", secret="other"), 401)
        self.refused(self.api("test.ping", key="other"), 401)
        good = self.server.headers("/api/1.0/test?action=ping", b"{}")
        value = good["X-Api-Authorization"]
        for bad in (None, "", value.upper(), value.replace("IWS ", ""),
                    value.replace("IWS", "iws"), value + " ", value.replace(":", " :"),
                    "Basic " + value):
            if bad is not None and bad.strip() == value:
                continue
            self.refused(self.api("test.ping", change={"X-Api-Authorization": bad}), 401)
        for name in ("Content-MD5", "IVVY-Date"):
            self.refused(self.api("test.ping", change={name: None}), 401)
        self.refused(self.api("test.ping", change={
            "Content-MD5": hashlib.md5(b"{}").hexdigest().upper()}), 401)
        self.refused(self.api("test.ping", change={"Content-MD5": "0" * 32}), 401)
        self.refused(self.api("test.ping", change={"X-Api-Version": None}), 400)
        self.refused(self.api("test.ping", content_type="text/plain"), 400)
        self.refused(self.api("test.ping", date="2012-04-03T22:23:24"), 401)

    def test_date_window(self):
        def at(offset):
            return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + offset))
        self.assertNotIn("errorCode", self.api("test.ping", date=at(-290)))
        self.assertNotIn("errorCode", self.api("test.ping", date=at(290)))
        self.refused(self.api("test.ping", date=at(-310)), 401, 23005)
        self.refused(self.api("test.ping", date=at(310)), 401, 23005)
        self.control("set", {"clock_skew": 3600})
        self.refused(self.api("test.ping"), 401, 23005)
        self.assertNotIn("errorCode", self.api("test.ping", date=at(3600)))

    def test_wrong_places(self):
        uri = "/api/1.0/test?action=ping"
        for method in ("GET", "PUT", "DELETE"):
            status, body, _ = self.server.request(
                uri, b"{}", method, self.server.headers(uri, b"{}", method))
            self.refused(json.loads(body), 405)
            self.assertEqual(status, 405)
        self.refused(self.api("test.pong"), 404)
        self.refused(self.api("nothing.ping"), 404)
        uri = "/api/2.0/test?action=ping"
        _, body, _ = self.server.request(uri, b"{}", headers=self.server.headers(uri, b"{}"))
        self.refused(json.loads(body), 404)

    def test_key_revoked(self):
        self.control("set", {"key_revoked": True})
        self.refused(self.api("test.ping"), 463)
        self.control("set", {"key_revoked": False})
        self.assertNotIn("errorCode", self.api("test.ping"))

    # --- addOrUpdateContact --------------------------------------------------

    def test_add(self):
        person = {"firstName": "Bo", "lastName": "Day", "email": "bo@example.org"}
        for name in person:
            less = {k: v for k, v in person.items() if k != name}
            answer = self.api("contact.addOrUpdateContact", less)
            self.refused(answer, 400, 23017)
            self.assertIn(f"'{name}'", answer["message"])
        first = self.api("contact.addOrUpdateContact", person)
        self.assertTrue(first["success"])
        again = self.api("contact.addOrUpdateContact", {**person, "updateIfExists": True})
        self.assertEqual(first["id"], again["id"])
        double = self.api("contact.addOrUpdateContact", {**person, "updateIfExists": False})
        self.assertNotEqual(first["id"], double["id"])
        other = self.api("contact.addOrUpdateContact", {
            **person, "firstName": "Bob", "updateIfExists": True})
        self.assertNotEqual(first["id"], other["id"])

    def test_update_keeps_the_rest(self):
        self.update(phone="+61 2 5550 0000")
        self.assertEqual(self.contact()["firstName"], "Ann")
        self.assertEqual(self.contact()["phone"], "+61 2 5550 0000")
        self.assertEqual(self.contact()["groups"], [10])
        self.refused(self.api("contact.addOrUpdateContact", {"id": 999}), 400, 24096)

    def test_does_not_validate(self):
        for params in (
                {"firstName": ""}, {"firstName": 1}, {"lastName": "x" * 300},
                {"LastName": "Lee"}, {"email": "nobody"}, {"phone": "call me"},
                {"phone": 5}, {"status": 4}, {"status": "1"}, {"status": True},
                {"smsStatus": 5}, {"groups": [10]}, {"groups": [{"groupId": 99}]},
                {"companies": [99]}, {"companies": ["5"]}, {"updateIfExists": 1},
                {"privacyConsent": "yes"}, {"surprise": 1},
                {"customFields": [{"fieldId": 99, "value": "x"}]},
                {"customFields": {"1": "x"}}):
            answer = self.update(**params)
            self.refused(answer, 400, 23016)
            self.assertEqual(answer["message"], f"'{list(params)[0]}' does not validate")
            self.assertEqual(self.server.status, 200)
        self.assertEqual(self.contact()["lastName"], "Lee")

    def test_groups_replace(self):
        self.update(groups=[{"groupId": 11}])
        self.assertEqual(self.contact()["groups"], [11])
        answer = self.api("contact.addContactsToSubscriptionGroup",
                          {"contacts": [6, 777], "group": 10})
        self.assertEqual(answer, [{"contactId": 6, "status": True},
                                  {"contactId": 777, "status": False}])
        self.assertEqual(self.contact()["groups"], [11, 10])
        self.api("contact.removeContactsFromSubscriptionGroup",
                 {"contacts": [6], "group": 11})
        self.assertEqual(self.contact()["groups"], [10])

    def test_custom_fields(self):
        good = {1: "text", 2: "long " * 100, 3: "red", 4: ["red", "blue"],
                5: {"line1": "1 Example St", "countryCode": "AU"},
                6: "2026-01-02 00:00:00 UTC", 9: 42}
        bad = {1: "x" * 256, 2: 7, 3: "green", 4: "red", 5: {"street": "x"},
               6: "2/1/2026", 7: "file", 8: "static", 9: "42"}
        for field, value in good.items():
            answer = self.update(customFields=[{"fieldId": field, "value": value}])
            self.assertTrue(answer.get("success"), (field, answer))
        for field, value in bad.items():
            answer = self.update(customFields=[{"fieldId": field, "value": value}])
            self.refused(answer, 400, 23016)
            self.assertIn(str(field), answer["additionalMessages"][0])
        self.assertEqual(self.contact()["customFields"],
                         {str(k): v for k, v in good.items()})

    def test_external_urls(self):
        def url(ref, address="https://example.org/"):
            return {"ref": ref, "url": address, "label": ref}
        self.refused(self.update(externalUrls=[url("a", "http://example.org/")]), 400, 23016)
        self.refused(self.update(externalUrls=[url(r) for r in "abcd"]), 400, 23016)
        self.update(externalUrls=[url("a"), url("b")])
        self.update(externalUrls=[url("c")])
        self.assertEqual([u["ref"] for u in self.contact()["externalUrls"]], ["a", "b", "c"])
        self.refused(self.update(externalUrls=[url("d")]), 400, 23016)
        self.update(externalUrls=[{"ref": "b", "url": None}])
        self.assertEqual([u["ref"] for u in self.contact()["externalUrls"]], ["a", "c"])
        self.update(externalUrls=None)
        self.assertEqual(self.contact()["externalUrls"], [])

    def test_refused_parameter(self):
        self.control("set", {"refuse": ["phone"]})
        self.assertEqual(self.update(phone="1234")["message"], "'phone' does not validate")

    # --- reading -------------------------------------------------------------

    def test_list(self):
        self.control("seed", {"contacts": [
            {"firstName": f"A{i}", "lastName": "B", "email": "many@example.org"}
            for i in range(7)]})
        self.control("set", {"paging_cap": 3})
        query = {"perPage": 50, "start": 6, "filter": {"email": "MANY@example.org"}}
        answer = self.api("contact.getContactList", query)
        self.assertEqual(answer["meta"],
                         {"totalResults": 7, "start": 6, "perPage": 3, "count": 1})
        self.assertNotIn("status", answer["results"][0])
        for modifier, count in (("__CONTAINS", 8), ("__BEGINS", 0), ("__ENDS", 8),
                                ("__NOT", 8), ("__EMPTY", 0)):
            answer = self.api("contact.getContactList", {
                "perPage": 1, "start": 0, "filter": {"email" + modifier: "example.org"}})
            self.assertEqual(answer["meta"]["totalResults"], count, modifier)
        self.refused(self.api("contact.getContactList", {}), 400, 23017)

    def test_get(self):
        answer = self.api("contact.getContact", {"id": 6})
        self.assertEqual(answer["status"], 1)
        self.assertIn("externalUrls", answer)
        self.control("edit", {"id": 6, "delete": True})
        self.refused(self.api("contact.getContact", {"id": 6}), 400, 24096)

    def test_companies(self):
        first = self.api("contact.addOrUpdateCompany", {
            "businessName": "example pty ltd", "updateIfExists": True, "phone": "1234"})
        self.assertEqual(first, {"success": True, "id": 5})
        self.refused(self.api("contact.addOrUpdateCompany", {"phone": "1"}), 400, 23017)
        answer = self.api("contact.getCompanyList", {
            "perPage": 9, "start": 0, "filter": {"businessName__CONTAINS": "EXAMPLE"}})
        self.assertEqual(answer["results"][0]["id"], 5)

    def test_definitions_and_groups(self):
        self.assertEqual(len(self.api("contact.getCustomFieldDefinition")), 9)
        groups = self.api("contact.getSubscriptionGroupList")
        self.assertEqual([(g["id"], g["memberCount"]) for g in groups], [(10, 1), (11, 0)])

    def test_note(self):
        self.assertTrue(self.api("contact.addOrUpdateContactNote", {
            "contactId": 6, "noteText": "bounced"})["success"])

    # --- batch ---------------------------------------------------------------

    def job(self, action="getContact", **params):
        return {"namespace": "contact", "action": action, "params": params}

    def test_batch(self):
        self.control("set", {"batch_delay_ms": 300})
        answer = self.api("batch.run", {"jobs": [
            self.job(id=6), self.job("addOrUpdateContact", id=6, phone="x"),
            {"namespace": "test", "action": "ping"}]})
        handle = {"async": answer["asyncId"]}
        self.refused(self.api("batch.results", handle), 400, 24114)
        self.assertEqual(self.api("batch.progress", handle), {"progress": 0})
        deadline = time.time() + 5
        while self.api("batch.progress", handle)["progress"] < 100:
            self.assertLess(time.time(), deadline)
            time.sleep(0.05)
        results = self.api("batch.results", handle)["results"]
        self.assertEqual(results[0]["response"]["firstName"], "Ann")
        self.assertEqual(results[0]["request"], {"id": 6})
        self.refused(results[1]["response"], 400, 23016)

    def test_batch_limits(self):
        self.refused(self.api("batch.run", {"jobs": [self.job(id=6)] * 201}), 400, 24448)
        for jobs in (None, [], {}, ["x"], [{"namespace": "contact"}],
                     [{**self.job(), "extra": 1}]):
            self.refused(self.api("batch.run", {"jobs": jobs}), 400, 24092)
        self.refused(self.api("batch.progress", {"async": "none"}), 400, 24105)
        self.refused(self.api("batch.results", {"async": "none"}), 400, 24115)
        self.control("set", {"batch": False})
        self.refused(self.api("batch.run", {"jobs": [self.job(id=6)]}), 404)

    # --- faults --------------------------------------------------------------

    def test_faults(self):
        self.control("faults", [{"match": "contact.*", "kind": "ratelimit",
                                 "retry_after": 7, "times": 1, "after": 1}])
        self.assertEqual(self.api("contact.getContact", {"id": 6})["id"], 6)
        uri, body = "/api/1.0/contact?action=getContact", b'{"id": 6}'
        status, _, headers = self.server.request(uri, body,
                                                 headers=self.server.headers(uri, body))
        self.assertEqual((status, headers["Retry-After"]), (429, "7"))
        self.assertEqual(self.api("contact.getContact", {"id": 6})["id"], 6)
        for kind, failure in (
                ("reset", (ConnectionError, http.client.HTTPException)),
                ("close", (ConnectionError, http.client.HTTPException)),
                ("garbage", ValueError), ("truncate", ValueError),
                ("html", ValueError), ("status", ValueError)):
            self.control("faults", [{"kind": kind}])
            with self.assertRaises(failure, msg=kind):
                self.api("contact.getContact", {"id": 6})
        self.control("faults", [{"kind": "hang", "seconds": 3}])
        with self.assertRaises(socket.timeout):
            self.server.request(uri, body, headers=self.server.headers(uri, body),
                                timeout=0.3)

    def test_applied_but_lost(self):
        self.control("faults", [{"kind": "close", "apply": True}])
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.update(phone="5551234")
        self.assertEqual(self.contact()["phone"], "5551234")

    def test_job_fault(self):
        self.control("faults", [{"kind": "error", "errorCode": 500, "job": True}])
        answer = self.api("batch.run", {"jobs": [self.job(id=6), self.job(id=6)]})
        time.sleep(0.3)
        results = self.api("batch.results", {"async": answer["asyncId"]})["results"]
        self.assertEqual(results[0]["response"]["errorCode"], 500)
        self.assertEqual(results[1]["response"]["id"], 6)

    # --- control -------------------------------------------------------------

    def test_log(self):
        self.control("log/clear")
        self.api("contact.getContact", {"id": 6})
        log = self.control("log")
        self.assertEqual(log["counts"], {"contact.getContact": 1})
        self.assertEqual(log["requests"][0]["params"], {"id": 6})

    def test_edit(self):
        self.control("edit", {"id": 6, "set": {"phone": "999", "customFields": {"1": "x"}}})
        self.assertEqual(self.contact()["phone"], "999")
        self.control("edit", {"id": 6, "anonymise": True})
        self.assertTrue(self.api("contact.getContact", {"id": 6})["isAnonymised"])

    def test_state_file(self):
        with tempfile.TemporaryDirectory() as folder:
            state = os.path.join(folder, "state.json")
            server = Running("--state", state)
            server.control("seed", {"contacts": [{"email": "kept@example.org"}]})
            server.stop()
            server = Running("--state", state)
            self.assertEqual(server.control("dump")["contacts"][0]["email"],
                             "kept@example.org")
            server.stop()


class Tap(unittest.TextTestResult):
    """Results as TAP, for automake."""

    count = 0

    def line(self, word, test, more=""):
        Tap.count += 1
        print(f"{word} {Tap.count} - {test.id()}{more}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line("ok", test)

    def addError(self, test, err):
        super().addError(test, err)
        self.line("not ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line("not ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("ok", test, f" # SKIP {reason}")


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    outcome = unittest.TextTestRunner(stream=sys.stderr, resultclass=Tap, verbosity=0).run(suite)
    print(f"1..{Tap.count}")
    sys.exit(not outcome.wasSuccessful())
